"""One model call from end to end: hold the money, forward, settle.

It is settled whatever happens, since a hold that nobody settles is money that nobody can use.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from aiohttp import web

from app.domain.errors import EnvironmentProblem
from app.domain.events import Refused, UpstreamFailed
from app.domain.money import Micros
from app.gateway import replies
from app.gateway.admission import BUDGET_STATUS, GONE_STATUS, Hold, admit
from app.gateway.alive import Alive
from app.gateway.cassette import Player, Recorder
from app.gateway.charging import charge_of, spent_by
from app.gateway.dialects import Call, Dialect, Objection, Route
from app.gateway.forward import Forward
from app.gateway.lanes import lane_of
from app.gateway.line import Line
from app.gateway.parts import Parts
from app.gateway.prices import Price, Tier, Unpriced
from app.gateway.settings import Rates, Upstream

_LOG = logging.getLogger(__name__)
_NOTHING = Rates(input=0, output=0, cache_read=0, cache_write=0, cache_write_long=0)
REPLAYED: Final = Price(tiers=(Tier(above=-1, rates=_NOTHING),), data="replay")
"""What a call costs that is answered from a recording."""


async def refuse(
    parts: Parts, line: Line, dialect: Dialect, objection: Objection
) -> web.StreamResponse:
    """Say no, note it, and tell who watches."""
    line.refusals += 1
    refused = Refused(
        why=objection.why, status=objection.status, budget=objection.status == BUDGET_STATUS
    )
    await parts.ledger.refuse(line.run, refused)
    await parts.witness.refused(line.run, refused)
    return replies.refusal(dialect, line.caller.stop, objection.status, objection.why)


def price_of(parts: Parts, upstream: Upstream, model: str, dialect: Dialect) -> Price | Unpriced:
    """What a call of that model costs there now."""
    provider = parts.prices.provider(upstream.url) or dialect.provider
    now = parts.clock()
    return parts.prices.find(model, now, provider=provider, unknown=upstream.unknown_model)


class Exchange:
    """One call. `go` runs once, in a task of its own, and goes on for a while when its agent is gone."""

    def __init__(
        self, parts: Parts, line: Line, dialect: Dialect, route: Route, request: web.BaseRequest
    ) -> None:
        self._parts = parts
        self._line = line
        self._dialect = dialect
        self._route = route
        self._request = request
        records = isinstance(line.tape, Recorder)
        self._forward = Forward(parts, dialect, route, request, tell=self._failed, records=records)
        self._left = asyncio.Event()

    async def _failed(self, failed: UpstreamFailed) -> None:
        await self._parts.witness.failed(self._line.run, failed)

    def client_gone(self) -> None:
        """The agent hung up: read on for its usage, but not for long."""
        self._left.set()
        self._forward.client_gone()

    async def go(self, call: Call) -> web.StreamResponse:
        """Make the call; the answer is on its way when this returns."""
        outcome = await self._go(call)
        if not isinstance(outcome, Objection):
            return outcome
        if outcome.status == GONE_STATUS:
            return web.Response(status=GONE_STATUS)
        if outcome.until is not None:
            await self._parts.desk.rest(self._line.run, outcome.until, outcome.why)
        said = await refuse(self._parts, self._line, self._dialect, outcome)
        begun = self._forward.alive
        # Once a reply has begun, its status stands: cut, the agent asks once more, and is told.
        return begun.cut() if begun and begun.reply else said

    async def _go(self, call: Call) -> web.StreamResponse | Objection:
        if isinstance(self._line.tape, Player):
            return await self._play(self._line.tape, call)
        try:
            upstream, model = self._parts.upstreams.choose(call.model, self._dialect.name)
            key = await self._parts.upstreams.key(upstream)
        except EnvironmentProblem as problem:
            return Objection(status=403, why=f"swarm: {problem.in_one_line}")

        async def send(output: int) -> web.StreamResponse | Objection:
            body = self._dialect.write(call, model, output)
            try:
                return await self._forward.run(upstream, key, call, body, model)
            finally:
                await self._record(call, key)

        if not self._route.metered:
            return await send(call.bounds.output)
        price = price_of(self._parts, upstream, model, self._dialect)
        if isinstance(price, Unpriced):
            return Objection(status=403, why=f"swarm: {price.why}. {price.fix}")
        return await self._held(call, price, model, send)

    async def _play(self, player: Player, call: Call) -> web.StreamResponse | Objection:
        """Answer from the recording: nobody is asked, and it costs no money."""
        place, key = self._route.path, self._line.caller.key
        take = await asyncio.to_thread(player.find, place, call.body, key)
        if isinstance(take, str):
            return Objection(status=403, why=f"swarm: {take}")

        async def play(_output: int) -> web.StreamResponse | Objection:
            return await self._forward.play(take, call)

        if not self._route.metered:
            return await play(0)
        return await self._held(call, REPLAYED, call.model, play)

    async def _record(self, call: Call, key: str) -> None:
        tape, heard = self._line.tape, self._forward.heard
        if isinstance(tape, Recorder) and heard is not None:
            try:
                await tape.save(self._route.path, call.body, heard, key, self._line.caller.key)
            except OSError as error:
                _LOG.warning("a call of %s was not recorded: %s", self._line.run, error)

    async def _held(
        self,
        call: Call,
        price: Price,
        model: str,
        answer: Callable[[int], Awaitable[web.StreamResponse | Objection]],
    ) -> web.StreamResponse | Objection:
        """What `answer` gives for an output limit, with the money held before and settled after."""
        hold = await self._admit(call, price, model)
        if isinstance(hold, Objection):
            return hold
        self._line.refusals = 0
        try:
            return await answer(hold.plan.output)
        finally:
            await self._settle(hold, price, model)

    async def _admit(self, call: Call, price: Price, model: str) -> Hold | Objection:
        """Hold the money, and the agent's patience when that takes long."""
        alive = self._forward.alive = Alive(
            self._request,
            self._dialect.name,
            streamed=call.streamed,
            pause=self._parts.settings.alive,
        )
        async with alive.kept():
            return await admit(
                self._parts,
                self._line,
                call,
                price,
                model,
                left=self._left,
                lane=lane_of(self._request.headers),
            )

    async def _settle(self, hold: Hold, price: Price, model: str) -> None:
        if self._forward.unbilled:
            await self._parts.ledger.release(hold.id)
            self._line.money_came_back()
            return
        charge = charge_of(self._forward.meter, hold, price, model)
        if price is REPLAYED:
            # Whatever the recorded reply says that it cost, that was paid when it was recorded.
            charge = msgspec.structs.replace(charge, micros=Micros(0))
        totals = await self._parts.ledger.settle(hold.id, charge)
        self._line.money_came_back()
        await self._parts.witness.settled(self._line.run, spent_by(charge, totals))
