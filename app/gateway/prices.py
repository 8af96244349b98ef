"""What a model costs on a day: rates in whole micro-dollars per million tokens, amounts rounded up once.

The only module that knows the price list (`genai-prices`). A model that is not on it is never free by accident.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from app.domain.base import Value
from app.domain.errors import UsageError
from app.domain.money import Micros
from app.gateway import price_lists
from app.gateway.settings import GatewaySettings, Rates, UnknownModel

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice, Provider, TieredPrices

ASSUMED: Final = "assumed"
"""Name of the price data of a model that nobody has a price for."""
_MILLION: Final = 1_000_000
_FREE: Final = Rates(input=0, output=0, cache_read=0, cache_write=0, cache_write_long=0)
_ID = re.compile(r"(?:.*[./])?(claude-[^/]*?)(?:-v\d+(?::\d+)?)?(?:\[[^\]]*\])?")


class Usage(Value, frozen=True, kw_only=True):
    """The tokens of one call, each counted once."""

    input: int = 0
    """Sent, neither read from nor written to the cache."""
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_long: int = 0

    @property
    def sent(self) -> int:
        """All that was sent; long prompts can have a rate of their own."""
        return self.input + self.cache_read + self.cache_write + self.cache_write_long


class Tier(Value, frozen=True, kw_only=True):
    """The rates of calls that send more than `above` tokens."""

    above: int
    rates: Rates


class Price(Value, frozen=True, kw_only=True):
    """What one model costs, and by which data."""

    tiers: tuple[Tier, ...]
    """Ascending; the first is above -1."""
    data: str
    """Name of the price data, kept with every charge."""

    def rates(self, sent: int) -> Rates:
        """The rates of a call that sends that many tokens: one tier holds for all of them."""
        return [tier.rates for tier in self.tiers if sent > tier.above][-1]

    def dearest(self, sent: int) -> tuple[Rates, ...]:
        """All rates a call can get that sends at most that many tokens."""
        return tuple(tier.rates for tier in self.tiers if sent > tier.above)

    def cost(self, usage: Usage) -> Micros:
        """What the tokens cost, rounded up to a micro-dollar."""
        rates = self.rates(usage.sent)
        total = (
            usage.input * rates.input
            + usage.output * rates.output
            + usage.cache_read * rates.cache_read
            + usage.cache_write * rates.cache_write
            + usage.cache_write_long * rates.cache_write_long
        )
        return round_up(total)


class Unpriced(msgspec.Struct, frozen=True):
    """Nobody knows what the model costs."""

    why: str
    fix: str


def round_up(total: int) -> Micros:
    """Tokens times rates, as micro-dollars."""
    return Micros(-(-total // _MILLION))


def normalise(model: str) -> str:
    """The bare model id: no provider's prefix, no platform's version, no `[1m]`."""
    name = model.strip().lower()
    found = _ID.fullmatch(name)
    return found.group(1) if found else name


class Prices:
    """The price list with the user's own prices before it. Loading it takes a good part of a second."""

    def __init__(self, settings: GatewaySettings, directory: Path | None = None) -> None:
        """`directory` has the lists that were installed later than the shipped one."""
        self._settings = settings
        self._directory = directory
        self._list = price_lists.newest(directory)
        self._own = price_lists.own(directory)

    @property
    def version(self) -> str:
        """Name of the list in force."""
        return self._list.name

    @property
    def _providers(self) -> "list[Provider]":
        return self._list.providers

    def install(self, text: bytes, now: float) -> str:
        """Charge by that list from now on; its name."""
        if self._directory is None:
            raise UsageError("there is nowhere to keep a price list")
        self._list = price_lists.install(self._directory, text, now)
        return self.version

    def own(self) -> Mapping[str, Rates]:
        """The prices of single models that stand before every list: those of the configuration, then others."""
        return {**self._own, **self._settings.prices}

    def override(self, model: str, rates: Rates | None) -> None:
        """Charge calls of that model by these rates from now on; by the list again without any."""
        if self._directory is None:
            raise UsageError("there is nowhere to keep a price")
        if model in self._settings.prices:
            raise UsageError(
                f"gateway.prices in your configuration says what {model!r} costs",
                hint="Change it there; it stands before what is set here.",
            )
        if rates is None and model not in self._own:
            raise UsageError(
                f"no price of your own is set for {model!r}",
                hint=f"There are: {', '.join(sorted(self._own)) or 'none'}.",
            )
        kept = {name: each for name, each in self._own.items() if name != model}
        self._own = kept if rates is None else {**kept, model: rates}
        price_lists.keep_own(self._directory, self._own)

    def models(self) -> Iterator[tuple[str, str]]:
        """Every provider and model of the list in force."""
        for provider in self._providers:
            yield from ((provider.id, model.id) for model in provider.models)

    def listed_in(self, text: bytes) -> "Prices":
        """The same with another list, which is not installed."""
        other = Prices(self._settings)
        other._list = price_lists.PriceList("the file", price_lists.read(text))
        other._own = self._own
        return other

    def provider(self, url: str) -> str | None:
        """Whose price list holds at that address; None where the address says nothing."""
        for candidate in self._providers:
            if re.match(candidate.api_pattern, url):
                return candidate.id
        return None

    def find(
        self,
        model: str,
        at: float,
        *,
        provider: str = "anthropic",
        unknown: UnknownModel | None = None,
    ) -> Price | Unpriced:
        """The price of a model for a call made at that time."""
        for own, data in ((self._settings.prices, "config"), (self._own, "own")):
            for name in (model, normalise(model)):
                if name in own:
                    return _flat(own[name], data)
        # As it is first: a platform's list knows its own regions and resellers, which cost more or less.
        for name in (model, normalise(model), model.rpartition("/")[2]):
            if (listed := self._listed(name, at, provider)) is not None:
                return listed
        match unknown or self._settings.unknown_model:
            case "free":
                return _flat(_FREE, "free")
            case "assume" if self._settings.assume is not None:
                return _flat(self._settings.assume, ASSUMED)
            case _:
                return Unpriced(
                    f"the price of model {model!r} is not known, so its cost cannot be limited",
                    f"`swarm prices override {model} --input USD --output USD` sets it, as gateway.prices does; "
                    "or gateway.unknown_model says assume, or free for a local model.",
                )

    def _listed(self, model: str, at: float, provider: str) -> Price | None:
        for candidate in self._providers:
            if candidate.id == provider and (info := candidate.find_model(model)) is not None:
                prices = info.get_prices(datetime.fromtimestamp(at, UTC))
                # Anthropic charges for every write to its cache; others only where they name a price for it.
                times = 2 if provider == "anthropic" else 1
                return Price(tiers=tuple(_tiers(prices, times)), data=self.version)
        return None


def _flat(rates: Rates, data: str) -> Price:
    return Price(tiers=(Tier(above=-1, rates=rates),), data=data)


def _tiers(prices: "ModelPrice", times: int) -> Iterator[Tier]:
    keys = (
        "input_mtok",
        "output_mtok",
        "cache_read_mtok",
        "cache_write_mtok",
        "cache_write_1h_mtok",
    )
    listed = [getattr(prices, key) for key in keys]
    starts = {tier.start for price in listed for tier in getattr(price, "tiers", ())}
    for above in (-1, *sorted(starts)):
        input_, output, read, write, long = (_rate(price, above) for price in listed)
        input_ = input_ or 0
        yield Tier(
            above=above,
            rates=Rates(
                input=input_,
                output=output or 0,
                # What has no rate of its own is charged as the provider does with plain input, or dearer.
                cache_read=input_ if read is None else read,
                cache_write=times * input_ if write is None else write,
                cache_write_long=times * input_ if long is None else long,
            ),
        )


def _rate(price: "Decimal | TieredPrices | None", above: int) -> int | None:
    """Dollars per million tokens, possibly by tiers, as micro-dollars per million for calls above that size."""
    if price is None:
        return None
    if isinstance(price, Decimal):
        return _micros(price)
    return _micros([price.base, *(t.price for t in price.tiers if above >= t.start)][-1])


def _micros(dollars: Decimal) -> int:
    return int((dollars * _MILLION).to_integral_value(ROUND_CEILING))
