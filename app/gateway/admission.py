"""Hold what a call may use before it is made: wait for calls beside it to give some back, then ask for more."""

import asyncio
import contextlib
from collections.abc import Coroutine
from functools import partial
from typing import Any

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
GONE_STATUS = 499
"""Nobody reads this answer any more."""
LOOK_SECONDS = 1.0
"""How often to look for room that another run, or another host, has given back."""

_CENT = 10_000


class Hold(msgspec.Struct, frozen=True):
    """What is held for a call."""

    id: str
    plan: Claim


async def admit(
    parts: Parts,
    line: Line,
    call: Call,
    price: Price,
    model: str,
    *,
    left: asyncio.Event,
    lane: str = "",
) -> Hold | Objection:
    """Reserve the call's worst case, its answer cut to what every budget allows.

    `left` is set when the agent hangs up: then nobody is asked for more on its behalf.
    """
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
        patience = deadline - loop.time()
        if short.room.held and patience > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(patience, LOOK_SECONDS)):
                    await money.wait()
        elif not await _unless(left, parts.desk.more(line.run, short)):
            status = GONE_STATUS if left.is_set() else BUDGET_STATUS
            return Objection(status=status, why=_spent(short))


async def _unless(event: asyncio.Event, doing: Coroutine[Any, Any, bool]) -> bool:
    """What `doing` says; no, and it is given up, when the event comes first."""
    task, waiting = asyncio.create_task(doing), asyncio.create_task(event.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        return task.done() and task.result()
    finally:
        for each in (task, waiting):
            each.cancel()
        await asyncio.gather(task, waiting, return_exceptions=True)


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
