"""Hold the money for a call before it is made, waiting a little for calls beside it to give some back."""

import asyncio
import contextlib

import msgspec

from app.domain.money import Micros, dollars
from app.gateway.dialects import Call, Objection
from app.gateway.line import Line
from app.gateway.parts import Parts
from app.gateway.prices import Price
from app.gateway.reservation import Plan, least, plan

BUDGET_STATUS = 402
"""The one answer every agent of this dialect takes as final."""


_CENT = 10_000


class Hold(msgspec.Struct, frozen=True):
    """Money held for a call."""

    id: str
    plan: Plan


async def admit(parts: Parts, line: Line, call: Call, price: Price, model: str) -> Hold | Objection:
    """Reserve the call's worst case, its answer cut to what the budget allows."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + parts.settings.sibling_wait
    hold = parts.mint()
    while True:
        money = line.next_money()
        room = await parts.ledger.headroom(line.run)
        planned = plan(call.bounds, price, room.left, floor=parts.settings.floor)
        if planned is not None:
            if await parts.ledger.reserve(line.run, hold, planned.micros, model):
                return Hold(hold, planned)
            continue  # A call beside this one was faster: look again at what is left.
        left = deadline - loop.time()
        if not room.held or left <= 0:
            return _spent(call, price, room.left, parts.settings.floor)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left):
                await money.wait()


def _spent(call: Call, price: Price, left: Micros, floor: int) -> Objection:
    needed = least(call.bounds, price, floor=floor)
    return Objection(
        status=BUDGET_STATUS,
        # Whole cents, rounded apart, so that the two never look equal.
        why=f"swarm: the budget of this run is used up: {dollars(max(0, left) // _CENT * _CENT)} is left, "
        f"the next call may cost {dollars(-(-needed // _CENT) * _CENT)}",
    )
