"""Hold what a call may use before it is made: wait for calls beside it to give some back, then ask for more."""

import asyncio
import contextlib
from functools import partial

import msgspec

from app.domain.budget import Claim, Headroom
from app.domain.money import dollars
from app.gateway.dialects import Call, Objection
from app.gateway.ledger import Shortage
from app.gateway.line import Line
from app.gateway.parts import Parts
from app.gateway.prices import Price
from app.gateway.reservation import least, plan

BUDGET_STATUS = 402
"""The one answer every agent of this dialect takes as final."""
LOOK_SECONDS = 1.0
"""How often to look for room that another run, or another host, has given back."""

_CENT = 10_000


class Hold(msgspec.Struct, frozen=True):
    """What is held for a call."""

    id: str
    plan: Claim


async def admit(
    parts: Parts, line: Line, call: Call, price: Price, model: str, *, lane: str = ""
) -> Hold | Objection:
    """Reserve the call's worst case, its answer cut to what every budget allows."""
    loop = asyncio.get_running_loop()
    floor = parts.settings.floor
    planner = partial(plan, call.bounds, price, floor=floor)
    hold = parts.mint()
    deadline = loop.time() + parts.settings.sibling_wait
    while True:
        money = line.next_money()
        found = await parts.ledger.reserve(line.run, hold, planner, model=model, lane=lane)
        if isinstance(found, Claim):
            return Hold(hold, found)
        short = _shortage(found, least(call.bounds, price, floor=floor))
        left = deadline - loop.time()
        if short.room.held and left > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, LOOK_SECONDS)):
                    await money.wait()
        elif not await parts.desk.more(line.run, short):
            return Objection(status=BUDGET_STATUS, why=_spent(short))


def _shortage(room: Headroom, needed: Claim) -> Shortage:
    """Which budget is too small: tokens only when the money would do."""
    if room.tokens is not None and needed.micros <= max(0, room.money.left):
        return Shortage(room=room.tokens, needs=needed.tokens, unit="tokens")
    return Shortage(room=room.money, needs=needed.micros)


def _spent(short: Shortage) -> str:
    left, needs = max(0, short.room.left), short.needs
    if short.unit == "tokens":
        amounts = f"{left:,} tokens are left, the next call may use {needs:,}"
    else:
        # Whole cents, rounded apart, so that the two never look equal.
        have, may = dollars(left // _CENT * _CENT), dollars(-(-needs // _CENT) * _CENT)
        amounts = f"{have} is left, the next call may cost {may}"
    return f"swarm: the budget of {short.room.of} is used up: {amounts}"
