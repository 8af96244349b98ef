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

from app.domain.budget import Ceilings, Raise, amount
from app.domain.errors import NotNow, UsageError
from app.domain.events import Asked, StateChanged
from app.domain.ids import ApprovalId, RunId
from app.domain.money import Micros
from app.domain.review import RAISE, Approval
from app.domain.run import RunState
from app.gateway.ledger import Shortage
from app.store import audit, budgets, rests, reviews, tasks
from app.store.database import Database
from app.supervisor.broker import Broker
from app.supervisor.hours import Used
from app.supervisor.services import Live

LOOK_SECONDS = 2.0
"""How often to look for an answer, or for room, that another host or another run has given."""
SHORTEST: Final = 60.0
"""Seconds of work that are asked for at least."""
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
    """The question for more money or tokens, opened if it is not."""
    room, unit = shortage.room, shortage.unit
    lacking = shortage.needs - room.left
    more = _raise_of(room.key, room.of)
    if unit == "tokens":
        more = replace(more, tokens=max(lacking, room.cap // 2))
    else:
        more = replace(more, micros=Micros(_proposed(lacking, room.cap)))
    needs, left = amount(shortage.needs, unit), amount(max(0, room.left), unit)
    why = f"the next call may use {needs}, {left} is left"
    title = (
        f"The budget of {room.of} ({amount(room.cap, unit)}) is used up. Raise it by {_more(more)}?"
    )
    return _put(c, run, more, f"budget/{room.key}/{room.cap}", title, why, now)


def ask_time(c: sa.Connection, run: RunId, lack: Used, now: float) -> Approval:
    """The question for more time, opened if it is not."""
    of, limit = lack.cap.of, amount(lack.limit, "time")
    more = replace(_raise_of(lack.cap.key, of), seconds=max(SHORTEST, (lack.cap.seconds or 0) / 2))
    title = f"The time of {of} ({limit} of work) is used up. Give it {_more(more)} more?"
    why = "it stands still meanwhile, and waiting does not count"
    return _put(c, run, more, f"time/{lack.cap.key}/{lack.limit:.0f}", title, why, now)


def _raise_of(tally: str, of: str) -> Raise:
    return Raise(approval=ApprovalId(""), tally=tally, of=of)


def _put(
    c: sa.Connection, run: RunId, more: Raise, request: str, title: str, why: str, now: float
) -> Approval:
    asked = reviews.ask(
        c,
        Approval(
            id=ApprovalId(""),
            run=run,
            turn=budgets.account(c, run).turn,
            request=request,
            title=title,
            action=RAISE,
            detail=f"raise by {_more(more)}",
            reason=why,
            opened=now,
        ),
    )
    budgets.ask_raise(c, replace(more, approval=asked.id))
    return asked


def decide(
    c: sa.Connection, asked: Approval, *, yes: bool, dollars: Micros | None, by: str, at: float
) -> None:
    """Give what was asked for, or the amount the person named, in the transaction of the answer."""
    wanted = budgets.raise_of(c, asked.id)
    if wanted is None or not yes:
        return
    if dollars is not None and not wanted.micros:
        raise UsageError(
            f"{asked.id} asks for {_more(wanted)}, not for money",
            hint=f"Say yes to that: `swarm answer {asked.id} yes`.",
        )
    given = wanted if dollars is None else replace(wanted, micros=dollars)
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
        by=_more(given),
    )


def _not_needed(c: sa.Connection, approval: ApprovalId, at: float) -> None:
    note = "there is room again"
    reviews.answer(c, approval, yes=True, by="swarm", at=at, note=note)


def _proposed(lacking: int, cap: int) -> int:
    """In whole cents: enough for the call, and half of the budget, so that it is not asked again at once."""
    return -(-max(lacking, cap // 2) // _CENT) * _CENT


def _more(wanted: Raise) -> str:
    if wanted.seconds:
        return amount(wanted.seconds, "time")
    return amount(wanted.tokens, "tokens") if wanted.tokens else amount(wanted.micros, "money")
