"""The gateway put together: its ledger in the store, its news in the log, its settings from the configuration."""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias, TypeVar

import sqlalchemy as sa

from app.config.budget import ceilings
from app.config.settings import SHIPPED_UPSTREAMS, PriceSettings, Settings
from app.config.settings import GatewaySettings as Configured
from app.config.values import seconds
from app.domain.budget import Ceilings, Claim, Headroom, Passed
from app.domain.events import Note, Refused, Spent, UpstreamFailed, Warned
from app.domain.ids import RunId
from app.domain.money import Charge, dollars
from app.domain.run import Run
from app.gateway.ledger import Planner, Totals
from app.gateway.line import SOCKET_NAME
from app.gateway.prices import Prices
from app.gateway.server import Gateway
from app.gateway.settings import GatewaySettings, Rates, Upstream
from app.store import budgets, keys, ledger, tasks
from app.store.database import Database
from app.store.refusals import PASSING
from app.supervisor.broker import Broker
from app.supervisor.faults import fault
from app.supervisor.raises import Till
from app.supervisor.services import Live, Services
from harnesses.catalog import Agent

T = TypeVar("T")
Write: TypeAlias = Callable[[sa.Connection], T]
_log = logging.getLogger(__name__)
RETOLD = 7 * 86_400.0
"""Seconds back to which warnings are told again at a start, in case a crash came between ledger and log."""
PAUSES = 0.2, 5.0
"""Seconds before a write that failed is tried again: at first, and at most."""
OUTAGE = 600.0
"""Seconds for which a call waits for the database; what is held then is charged in full at the next start."""
DIFFERS = 0.05
"""Part of a listed cost by which a provider's own may differ before somebody is told, once a run and model."""


class StoreLedger:
    """Meets `app.gateway.ledger.Ledger`; every method is one transaction on the state.

    While the database does not answer, or its disk is full, calls wait: without the ledger there is no money.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = time.time,
        *,
        host: str = "",
        ceilings: Ceilings = budgets.NO_CEILINGS,
        passed: Callable[[Passed], None] | None = None,
    ) -> None:
        """`passed` hears of budgets that come near their limits."""
        self._database = database
        self._clock = clock
        self._host = host
        self._ceilings = ceilings
        self._passed = passed

    async def reserve(
        self, run: RunId, hold: str, plan: Planner, *, model: str, lane: str
    ) -> Claim | Headroom:
        caller = ledger.Caller(hold, model, lane, self._host)

        def with_(write: Callable[..., Claim | Headroom]) -> Write[Claim | Headroom]:
            return lambda c: write(c, run, caller, plan, now=self._clock(), ceilings=self._ceilings)

        fault("act:called")
        found = await self._written(with_(ledger.reserve), again=with_(ledger.reserve_anew))
        fault("act:hold")
        return found

    async def settle(self, hold: str, charge: Charge) -> Totals:
        def charged(c: sa.Connection) -> ledger.Settled:
            now, above = self._clock(), self._ceilings
            return ledger.settle(c, hold=hold, charge=charge, now=now, ceilings=above)

        fault("act:charge")
        done = await self._written(charged)
        fault("act:charged")
        if self._passed:
            for each in done.passed:
                self._passed(each)
        return Totals(run=done.total, day=done.day)

    async def release(self, hold: str) -> None:
        await self._written(lambda c: ledger.release(c, hold=hold, now=self._clock()))

    async def refuse(self, run: RunId, refused: Refused) -> None:
        await self._database.write_soon(ledger.refuse, run=run, refused=refused, now=self._clock())

    async def _written(self, write: Write[T], *, again: Write[T] | None = None) -> T:
        """What `write` gives, once it could be written; after a try that may have been, what `again` gives."""
        pause = PAUSES[0]
        end = time.monotonic() + OUTAGE
        while True:
            try:
                return await self._database.write_soon(write)
            except PASSING as error:
                if time.monotonic() > end:
                    raise
                _log.warning("the ledger: %s; trying again in %.1f s", error, pause)
                await asyncio.sleep(pause)
                pause, write = min(PAUSES[1], pause * 2), again or write


class LogWitness:
    """Meets `app.gateway.ledger.Witness`: what happens at the gateway becomes events of the run."""

    def __init__(self, broker: Broker, live: Live) -> None:
        self._broker = broker
        self._live = live

    async def first_request(self, run: RunId) -> None:
        """Nothing to say: the first settled call says it."""

    async def settled(self, run: RunId, spent: Spent) -> None:
        self._broker.post(run, f"spent/{uuid.uuid4()}", spent)
        if spent.listed is not None and abs(spent.micros - spent.listed) > spent.listed * DIFFERS:
            words = f"{dollars(spent.micros)} for a call of {spent.model}; the price list says"
            note = Note(f"the provider charged {words} {dollars(spent.listed)}", "warning")
            self._broker.post(run, f"differs/{spent.model}", note)

    async def refused(self, run: RunId, refused: Refused) -> None:
        self._broker.post(run, f"refused/{uuid.uuid4()}", refused)
        self._live.wake(run)

    async def failed(self, run: RunId, failed: UpstreamFailed) -> None:
        self._broker.post(run, f"failed/{uuid.uuid4()}", failed)

    def passed(self, found: Passed) -> None:
        """A budget has come near its limit. Said again, after a crash, it is the same event."""
        tell_passed(self._broker, found)


def tell_passed(broker: Broker, found: Passed) -> None:
    """Say in the run's log that a budget is near its limit; again it is the same event."""
    warned = Warned(found.of, found.percent, found.spent, found.cap, found.unit)
    broker.post(found.run, f"warned/{found.tally}/{found.percent}", warned)


def make_gateway(
    configured: Settings,
    database: Database,
    broker: Broker,
    live: Live,
    *,
    clock: Callable[[], float],
    host: str,
    lists: Path,
) -> Gateway:
    """The gateway as the user configured it."""
    settings = gateway_settings(configured.gateway)
    witness = LogWitness(broker, live)
    above = ceilings(configured.budget)
    return Gateway(
        settings,
        StoreLedger(database, clock, host=host, ceilings=above, passed=witness.passed),
        witness,
        desk=Till(database, broker, live, clock, above, host),
        prices=Prices(settings, lists),
        clock=clock,
    )


def gateway_settings(configured: Configured) -> GatewaySettings:
    """The written settings as the gateway takes them: rates in micro-dollars."""
    assumed = PriceSettings(input=configured.assume.input, output=configured.assume.output)
    return GatewaySettings(
        upstreams=upstreams(configured),
        longest_wait=seconds(configured.park_after),
        unknown_model=configured.unknown_model,
        assume=_rates(assumed),
        prices={model: _rates(price) for model, price in configured.prices.items()},
    )


def upstreams(configured: Configured) -> tuple[Upstream, ...]:
    """The model providers in the order in which they are asked: the user's own before the shipped ones."""
    ordered = sorted(configured.upstreams.items(), key=lambda item: item[0] in SHIPPED_UPSTREAMS)
    return tuple(Upstream(name=name, **each.model_dump()) for name, each in ordered)


def _rates(price: PriceSettings) -> Rates:
    def micros(dollars: Decimal) -> int:
        return int(dollars * 1_000_000)

    write = price.input * 2 if price.cache_write is None else price.cache_write
    read = price.input if price.cache_read is None else price.cache_read
    return Rates(
        input=micros(price.input),
        output=micros(price.output),
        cache_read=micros(read),
        cache_write=micros(write),
        cache_write_long=micros(write),
    )


async def check_model(s: Services, agent: Agent, model: str) -> None:
    """Raise `EnvironmentProblem` when the agent's model could not be called now: no provider, no key, no price."""
    able = s.harness(agent.harness).capabilities
    if not able.scripted:
        await s.gateway.check(model, agent.dialect or able.dialect)


async def open_gateway(s: Services, run: Run) -> str:
    """Serve the run at its own socket; returns the run's key. Safe to repeat."""
    agent, able = s.catalog.get(run.agent), s.harness(run.harness).capabilities
    stop = agent.stop_dialect or able.stop_dialect
    key = await s.database.write(keys.ensure_key, run.id, stop)
    socket = s.places.sockets(run.id) / SOCKET_NAME
    limits = (await s.database.read(budgets.account, run.id)).limits
    rate = limits.calls_per_minute
    cassette = (await s.database.read(tasks.task, run.task)).cassette
    await s.gateway.open(run.id, socket, key, stop, run.model, per_minute=rate, cassette=cassette)
    return key


async def close_gateway(s: Services, run: RunId) -> None:
    """Stop serving the run; nothing of it can spend any more."""
    await s.gateway.close(run)


async def charge_lost(s: Services) -> None:
    """At start: charge the calls that a crash of this host has cut off, and say again which budgets were near."""
    above = ceilings(s.configuration.settings.budget)
    now = s.clock()
    lost = await s.database.write(ledger.settle_lost, now=now, host=s.engine.host, ceilings=above)
    for run, charge in lost:
        note = Note(
            f"a model call was cut off when swarm died; charged in full: {dollars(charge.micros)}",
            "warning",
        )
        await s.broker.record(run, f"lost/{now}", note)
    witness = LogWitness(s.broker, s.live)
    for found in await s.database.read(budgets.warnings_since, now - RETOLD):
        witness.passed(found)
