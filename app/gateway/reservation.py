"""How much money a call needs in the worst case, and how long its answer may be for the money that is left."""

from typing import Literal

from app.domain.base import Value
from app.domain.budget import Claim, Headroom
from app.domain.money import Micros
from app.gateway.prices import Price, round_up
from app.gateway.settings import Rates

_MILLION = 1_000_000


class Bounds(Value, frozen=True, kw_only=True):
    """The most a request can make the provider do."""

    input: int
    """Input tokens."""
    output: int
    """Output tokens, as the request asks for."""
    cache: Literal["none", "short", "long"] = "none"
    """The longest time it asks to keep its input in the provider's cache."""
    thinking: int = 0
    """Tokens it sets aside for thinking; the output must allow more than these."""
    passes: int = 1
    """How often the provider may run the model for it."""


def plan(bounds: Bounds, price: Price, room: Headroom, *, floor: int) -> Claim | None:
    """What to hold for a call, and how long the answer may be; None when even the shortest is too much.

    An answer is cut to half of the money that is left, so that calls side by side each get a share, but
    never below `floor` tokens, because agents give up after a few cut answers. A request that asks for
    less than the floor keeps its own number.
    """
    shortest = _shortest(bounds, floor)
    needed, left = cost(bounds, price, shortest), room.money.left
    tokens = None if room.tokens is None else room.tokens.left
    if needed > max(0, left) or (tokens is not None and used(bounds, shortest) > tokens):
        return None
    output = bounds.output
    if cost(bounds, price, output) > (allowed := max(needed, left // 2)):
        output = _affordable(bounds, price, allowed)
    if tokens is not None:
        output = min(output, tokens // bounds.passes - bounds.input)
    return _claim(bounds, price, max(shortest, output))


def least(bounds: Bounds, price: Price, *, floor: int) -> Claim:
    """What a call needs at least."""
    return _claim(bounds, price, _shortest(bounds, floor))


def _claim(bounds: Bounds, price: Price, output: int) -> Claim:
    return Claim(micros=cost(bounds, price, output), tokens=used(bounds, output), output=output)


def _shortest(bounds: Bounds, floor: int) -> int:
    return min(bounds.output, max(floor, bounds.thinking + 1))


def used(bounds: Bounds, output: int) -> int:
    """Tokens, sent and received, at most."""
    return bounds.passes * (bounds.input + output)


def cost(bounds: Bounds, price: Price, output: int) -> Micros:
    """The worst case with that output limit."""
    worst = max(
        bounds.input * _input_rate(rates, bounds) + output * rates.output
        for rates in price.dearest(bounds.input)
    )
    return round_up(bounds.passes * worst)


def _affordable(bounds: Bounds, price: Price, micros: int) -> int:
    """The longest output that keeps the worst case within the amount."""
    lengths = [
        (micros * _MILLION // bounds.passes - bounds.input * _input_rate(rates, bounds))
        // rates.output
        for rates in price.dearest(bounds.input)
        if rates.output
    ]
    return min(bounds.output, *lengths)


def _input_rate(rates: Rates, bounds: Bounds) -> int:
    kinds = [rates.input, rates.cache_read]
    if bounds.cache != "none":
        kinds.append(rates.cache_write)
    if bounds.cache == "long":
        kinds.append(rates.cache_write_long)
    return max(kinds)
