"""A run that needs more than its budget: its agent waits while a person decides, and goes on in the same turn.

The question is a row like any other, so that it outlives the agent's patience and this supervisor: answered
later, it sends the parked run back to work.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from msgspec.structs import replace

from app.domain.budget import Ceilings, Raise, Room
from app.domain.errors import NotNow
from app.domain.events import Asked, StateChanged
from app.domain.ids import ApprovalId, RunId
from app.domain.money import Micros, dollars
from app.domain.review import RAISE, Approval
from app.domain.run import RunState
from app.gateway.ledger import Shortage
from app.store import audit, budgets, rests, reviews, tasks
from app.store.database import Database
from app.supervisor.broker import Broker
from app.supervisor.services import Live

LOOK_SECONDS = 2.0
"""How often to look for an answer, or for room, that another host or another run has given."""
_CENT: Final = 10_000


@dataclass(frozen=True)
class Till:
    """Meets `app.gateway.ledger.Desk`: asks in the inbox."""

    database: Database
    broker: Broker
    live: Live
    clock: Callable[[], float]
    ceilings: Ceilings
    host: str

    async def more(self, run: RunId, shortage: Shortage) -> bool:
        """Ask, once for all calls that lack the same, and wait; whether to look at the budget again."""
        limits = (await self.database.read(budgets.account, run)).limits
        if limits.on_limit == "stop" or not shortage.room.key:
            return False
        asked = await self.database.write(_ask, run, shortage, self.clock())
        while asked.answer is None and self.clock() < asked.opened + limits.park:
            await self._show(asked)
            await self.live.wait(run, LOOK_SECONDS)
            if await self._has_room(run, shortage):
                await self.database.write(_not_needed, asked.id, self.clock())
            asked = await self.database.read(reviews.approval, asked.id)
        if asked.answer == "yes":
            await self._go_on(asked)
        return asked.answer == "yes"

    async def rest(self, run: RunId, until: float, why: str) -> None:
        await self.database.write(rests.put, run, until, host=self.host, why=why)

    async def _show(self, asked: Approval) -> None:
        """Say in log and state that a person is needed; again it changes nothing."""
        await self.broker.record(asked.run, f"asked/{asked.id}", Asked(asked.id, asked.title))
        await self._move(asked, RunState.WAITING, asked.title)

    async def _go_on(self, asked: Approval) -> None:
        if not await self.database.read(reviews.still_asks, asked.run):
            await self._move(asked, RunState.WORKING, "")

    async def _move(self, asked: Approval, new: RunState, reason: str) -> None:
        # A run that is just starting, or was stopped meanwhile, has another story to tell.
        with contextlib.suppress(NotNow):
            now = self.clock()
            if await self.database.write(tasks.move, asked.run, new, reason=reason, at=now):
                told = StateChanged(new, reason)
                key = f"state/turn-{asked.turn}/{asked.id}/{new}"
                await self.broker.record(asked.run, key, told)

    async def _has_room(self, run: RunId, shortage: Shortage) -> bool:
        """Whether somebody else has raised the budget, a day has begun, or other runs have given enough back."""
        room = await self.database.read(budgets.room, run, self.clock(), self.ceilings)
        there = room.tokens if shortage.unit == "tokens" else room.money
        return there is None or there.left >= shortage.needs


def _ask(c: sa.Connection, run: RunId, shortage: Shortage, now: float) -> Approval:
    """The question, opened if it is not."""
    room = shortage.room
    lacking = shortage.needs - room.left
    more = Raise(
        approval=ApprovalId(""),
        tally=room.key,
        of=room.of,
        micros=Micros(0 if shortage.unit == "tokens" else _proposed(lacking, room.cap)),
        tokens=max(lacking, room.cap // 2) if shortage.unit == "tokens" else 0,
    )
    asked = reviews.ask(
        c,
        Approval(
            id=ApprovalId(""),
            run=run,
            turn=budgets.account(c, run).turn,
            request=f"budget/{room.key}/{room.cap}",
            title=_title(more, room),
            action=RAISE,
            detail=f"raise by {_amount(more)}",
            reason=f"the next call may use {_shown(shortage, shortage.needs)}, "
            f"{_shown(shortage, max(0, room.left))} is left",
            opened=now,
        ),
    )
    budgets.ask_raise(c, replace(more, approval=asked.id))
    return asked


def decide(
    c: sa.Connection, asked: Approval, *, yes: bool, amount: Micros | None, by: str, at: float
) -> None:
    """Give what was asked for, or the amount the person named, in the transaction of the answer."""
    wanted = budgets.raise_of(c, asked.id)
    if wanted is None or not yes:
        return
    given = wanted if amount is None else replace(wanted, micros=amount)
    budgets.grant(c, given, run=asked.run)
    audit.record(
        c,
        key=f"{asked.id}/raised",
        what="budget raised",
        actor=by,
        at=at,
        run=asked.run,
        of=given.of,
        budget=given.tally,
        by=_amount(given),
    )


def _not_needed(c: sa.Connection, approval: ApprovalId, at: float) -> None:
    note = "there is room again"
    reviews.answer(c, approval, yes=True, by="swarm", at=at, note=note)


def _proposed(lacking: int, cap: int) -> int:
    """In whole cents: enough for the call, and half of the budget, so that it is not asked again at once."""
    return -(-max(lacking, cap // 2) // _CENT) * _CENT


def _title(more: Raise, room: Room) -> str:
    cap = f"{room.cap:,} tokens" if more.tokens else dollars(room.cap)
    return f"The budget of {room.of} ({cap}) is used up. Raise it by {_amount(more)}?"


def _amount(more: Raise) -> str:
    return f"{more.tokens:,} tokens" if more.tokens else dollars(more.micros)


def _shown(shortage: Shortage, amount: int) -> str:
    return f"{amount:,} tokens" if shortage.unit == "tokens" else dollars(amount)
