"""One model call from end to end: hold the money, forward, settle.

It is settled whatever happens, since a hold that nobody settles is money that nobody can use.
"""

import asyncio

from aiohttp import web

from app.domain.errors import EnvironmentProblem
from app.domain.events import Refused
from app.gateway import replies
from app.gateway.admission import BUDGET_STATUS, GONE_STATUS, Hold, admit
from app.gateway.alive import Alive
from app.gateway.charging import charge_of, spent_by
from app.gateway.dialects import Call, Dialect, Objection, Route
from app.gateway.forward import Forward
from app.gateway.lanes import lane_of
from app.gateway.line import Line
from app.gateway.parts import Parts
from app.gateway.prices import Price, Unpriced
from app.gateway.settings import Upstream


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
        self._forward = Forward(parts, dialect, route, request)
        self._left = asyncio.Event()

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
        try:
            upstream, model = self._parts.upstreams.choose(call.model, self._dialect.name)
            key = await self._parts.upstreams.key(upstream)
        except EnvironmentProblem as problem:
            return Objection(status=403, why=f"swarm: {problem.message}. {problem.hint}")
        if not self._route.metered:
            body = self._dialect.write(call, model, call.bounds.output)
            return await self._forward.run(upstream, key, call, body, model)
        price = price_of(self._parts, upstream, model, self._dialect)
        if isinstance(price, Unpriced):
            return Objection(status=403, why=f"swarm: {price.why}. {price.fix}")
        hold = await self._admit(call, price, model)
        if isinstance(hold, Objection):
            return hold
        self._line.refusals = 0
        try:
            body = self._dialect.write(call, model, hold.plan.output)
            return await self._forward.run(upstream, key, call, body, model)
        finally:
            await self._settle(hold, price, model)

    async def _admit(self, call: Call, price: Price, model: str) -> Hold | Objection:
        """Hold the money, and the agent's patience when that takes long."""
        alive = self._forward.alive = Alive(
            self._request,
            self._dialect.name,
            streamed=call.body.get("stream") is True,
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
        totals = await self._parts.ledger.settle(hold.id, charge)
        self._line.money_came_back()
        await self._parts.witness.settled(self._line.run, spent_by(charge, totals))
