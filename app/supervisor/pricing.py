"""What models cost: shown, compared, replaced by a later list; and what a run would have cost with another."""

import asyncio
from collections.abc import Iterator
from datetime import date
from typing import Final

import msgspec

from app.config.budget import ceilings
from app.domain.budget import Tally, day_of
from app.domain.errors import NotFound, UsageError
from app.domain.ids import RunId, task_of
from app.domain.money import Charge, Micros
from app.gateway.prices import Price, Prices, Unpriced, Usage
from app.gateway.settings import Rates
from app.store import audit, budgets, costs, tasks
from app.supervisor.services import Services
from app.wire import (
    CostLine,
    PriceChange,
    PriceFile,
    PriceLine,
    PriceOverride,
    Purse,
    Repriced,
)

LATELY: Final = 900.0
"""Seconds over which the rate of spending is told."""


class Money:
    """Questions about money behind the local API."""

    def __init__(self, s: Services) -> None:
        self._s = s

    async def costs(
        self, by: str, *, of: str = "", since: str = "", until: str = ""
    ) -> tuple[CostLine, ...]:
        """What was spent, added up: all of it, or that of a run or task, or of some days."""
        try:
            group = msgspec.convert(by, costs.By)
        except msgspec.ValidationError:
            raise UsageError(
                f"costs cannot be grouped by {by!r}", hint=f"Use {', '.join(costs.WAYS)}."
            ) from None
        if of:
            run = await self._s.database.read(tasks.find, of)
            of = run if "." in of else task_of(run)
        for day in (since, until):
            _check_day(day)
        return await self._s.database.read(costs.costs, group, of=of, since=since, until=until)

    async def purse(self) -> Purse:
        """What was spent of late, by everybody."""
        now, above = self._s.clock(), ceilings(self._s.configuration.settings.budget)
        key = f"day/{day_of(now)}"
        today = (await self._s.database.read(budgets.tallies, [key])).get(key, Tally(key=key))
        return Purse(
            today=today.spent,
            cap=None if above.day is None else Micros(above.day + today.raised),
            lately=await self._s.database.read(costs.lately, now - LATELY),
        )

    def prices(self, model: str) -> tuple[PriceLine, ...]:
        """The prices of every model whose name contains that text, those of the user's own first."""
        prices = self._s.gateway.prices
        known = [*(("", name) for name in sorted(prices.own())), *_known(prices)]
        found = tuple(
            line
            for provider, name in known
            if model.lower() in name.lower()
            for line in _lines(prices, provider, name, self._s.clock())
        )
        if not found:
            raise NotFound(
                f"no price list knows a model like {model!r}",
                hint="`swarm prices override MODEL --input USD --output USD` sets one, as gateway.prices does.",
            )
        return found

    async def override(self, wanted: PriceOverride) -> tuple[PriceLine, ...]:
        """Charge one model by a price of the user's own; what holds for it now."""
        prices, now = self._s.gateway.prices, self._s.clock()
        prices.override(wanted.model, _rates_of(wanted))
        lines = tuple(_lines(prices, "", wanted.model, now))
        await self._s.database.write(
            audit.record,
            key=f"price/{wanted.model}/{now}",
            what="price set" if wanted.input is not None else "price unset",
            actor=wanted.by,
            at=now,
            run=None,
            model=wanted.model,
            rates=" / ".join(str(each.input) + " " + str(each.output) for each in lines),
        )
        return lines

    async def replace(self, file: PriceFile) -> tuple[PriceChange, ...]:
        """What another list changes; with `install`, calls are charged by it from now on."""
        before, now = self._s.gateway.prices, self._s.clock()
        after = before.listed_in(file.text.encode())
        changes = await asyncio.to_thread(_changes, before, after, now)
        if file.install:
            name = before.install(file.text.encode(), now)
            await self._s.database.write(
                audit.record,
                key=f"prices/{name}",
                what="prices replaced",
                actor=file.by,
                at=now,
                run=None,
                data=name,
                changed=str(len(changes)),
            )
        return changes

    async def reprice(self, run: RunId, model: str) -> Repriced:
        """The run's recorded tokens at another model's price, as it was at the time of each call.

        Without a model: at the very rates that every call was charged by, whatever list is in force now.
        """
        charges = await self._s.database.read(costs.charges, run)
        if not model:
            same = sum(c.micros if c.known == "held" else c.listed for _, c in charges)
            return _repriced(run, "", [charge for _, charge in charges], same)
        prices = self._s.gateway.prices
        providers = [provider for provider, name in _known(prices) if name == model.lower()]
        total = 0
        for at, charge in charges:
            price = prices.find(
                model, at, provider=(providers or ["anthropic"])[0], unknown="refuse"
            )
            if isinstance(price, Unpriced):
                raise UsageError(price.why, hint="`swarm prices show TEXT` lists models.")
            usage = Usage(
                input=charge.input,
                output=charge.output,
                cache_read=charge.cache_read,
                cache_write=charge.cache_write - charge.cache_write_long,
                cache_write_long=charge.cache_write_long,
            )
            total += price.cost(usage)
        return _repriced(run, model, [charge for _, charge in charges], total)


def _repriced(run: RunId, model: str, charges: list[Charge], total: int) -> Repriced:
    return Repriced(
        run=run,
        model=model,
        calls=len(charges),
        micros=Micros(total),
        spent=Micros(sum(charge.micros for charge in charges)),
        unsure=sum(charge.known == "held" for charge in charges),
    )


def _check_day(text: str) -> None:
    try:
        same = not text or date.fromisoformat(text).isoformat() == text
    except ValueError:
        same = False
    if not same:
        raise UsageError(
            f"{text!r} is not a day", hint="Write it like 2026-11-21; days are of UTC."
        )


def _rates_of(wanted: PriceOverride) -> Rates | None:
    """What is left out is taken as dear as it can be."""
    if wanted.input is None and wanted.output is None:
        return None
    if wanted.input is None or wanted.output is None:
        raise UsageError("a price needs both, of input and of output")
    write = 2 * wanted.input if wanted.cache_write is None else wanted.cache_write
    return Rates(
        input=wanted.input,
        output=wanted.output,
        cache_read=wanted.input if wanted.cache_read is None else wanted.cache_read,
        cache_write=write,
        cache_write_long=write,
    )


def _known(prices: Prices) -> list[tuple[str, str]]:
    return [(provider, model.lower()) for provider, model in prices.models()]


def _lines(prices: Prices, provider: str, model: str, at: float) -> Iterator[PriceLine]:
    price = prices.find(model, at, provider=provider, unknown="refuse")
    if isinstance(price, Price):
        for tier in price.tiers:
            yield PriceLine(
                model=model,
                provider=provider,
                above=tier.above,
                input=tier.rates.input,
                output=tier.rates.output,
                cache_read=tier.rates.cache_read,
                cache_write=tier.rates.cache_write,
                cache_write_long=tier.rates.cache_write_long,
                data=price.data,
            )


def _changes(before: Prices, after: Prices, at: float) -> tuple[PriceChange, ...]:
    found = []
    for provider, model in sorted({*_known(before), *_known(after)}):
        old = next(_lines(before, provider, model, at), None)
        new = next(_lines(after, provider, model, at), None)
        if _rates(old) != _rates(new):
            found.append(PriceChange(model=model, provider=provider, before=old, after=new))
    return tuple(found)


def _rates(line: PriceLine | None) -> tuple[int, ...] | None:
    if line is None:
        return None
    return (
        line.input, line.output, line.cache_read, line.cache_write, line.cache_write_long
    )  # fmt: skip
