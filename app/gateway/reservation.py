"""How much money a call needs in the worst case, and how long its answer may be for the money that is left."""

from typing import Literal

from app.domain.base import Value
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


class Plan(Value, frozen=True, kw_only=True):
    """What to hold, and the output limit that makes it enough."""

    micros: Micros
    output: int


def plan(bounds: Bounds, price: Price, left: int, *, floor: int) -> Plan | None:
    """The plan for a call with that much money left; None when even the shortest useful answer is too dear.

    An answer is cut to half of what is left, so that calls side by side each get a share, but never
    below `floor` tokens, because agents give up after a few cut answers. A request that asks for
    less than the floor keeps its own number.
    """
    least = min(bounds.output, max(floor, bounds.thinking + 1))
    if (needed := cost(bounds, price, least)) > max(0, left):
        return None
    allowed = max(needed, left // 2)
    if (whole := cost(bounds, price, bounds.output)) <= allowed:
        return Plan(micros=whole, output=bounds.output)
    output = max(least, _affordable(bounds, price, allowed))
    return Plan(micros=cost(bounds, price, output), output=output)


def least(bounds: Bounds, price: Price, *, floor: int) -> Micros:
    """What a call needs at least."""
    return cost(bounds, price, min(bounds.output, max(floor, bounds.thinking + 1)))


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
