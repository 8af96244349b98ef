"""Watches what a box writes: at its limit, or with the disk almost full, it is halted and a person is asked.

Nothing is kept but the questions themselves: how much a run may take is its limit once more for each yes, so
a supervisor that comes after a crash finds the box halted, the question in the inbox, and waits on.
"""

import asyncio
import logging

import sqlalchemy as sa

from app.domain.ids import ApprovalId
from app.domain.review import BOX, Approval
from app.domain.run import Run
from app.store import reviews
from app.supervisor import asking
from app.supervisor.box import Box
from app.supervisor.gauge import BLIND_SECONDS, Gauge, allowed
from app.supervisor.services import Services
from policies.decisions import Ask
from policies.room import room, size

ROOM_AGAIN = 1.1
"""How much more than the floor must be free before halted boxes go on by themselves."""
START_SECONDS = 2.0
"""An agent that starts is not made to wait while what it has not written yet is counted."""
_REASON = "room"

_log = logging.getLogger(__name__)


class RoomWatch:
    """Over one turn of one run."""

    def __init__(self, s: Services, run: Run, turn: int, box: Box) -> None:
        self._s = s
        self._run = run
        self._turn = turn
        self._box = box
        self._gauge = Gauge(s, run, box.sandbox)

    async def follow(self) -> None:
        """Until it is cancelled, or a person wants the run stopped."""
        fresh = True
        await asyncio.sleep(START_SECONDS)
        while True:
            facts = await self._gauge.measured()
            match None if facts is None else room(facts):
                case Ask() as ask:
                    if not await self._halt(ask):
                        return
                case _:
                    if fresh and facts is not None:
                        await self._take_up()
                    await self._gauge.quiet(facts)
            fresh = fresh and facts is None

    async def _take_up(self) -> None:
        """A supervisor before this one may have halted the box; by now there is room, or more is allowed."""
        await self._box.go_on(_REASON)
        for each in await self._s.database.read(reviews.approvals_of, self._run.id):
            ours = each.action == BOX and each.request.startswith(("disk/", "floor/"))
            if ours and each.turn == self._turn and each.answer is None:
                await self._close(each)

    async def _close(self, question: Approval) -> Approval:
        """Nobody has to answer it any more."""
        done = await asking.close(self._s, question, "there is room again")
        await asking.answered(self._s, self._run, done)
        return done

    async def _halt(self, ask: Ask) -> bool:
        """Halt the box and ask; whether it may go on."""
        if not await self._box.halted_for(_REASON, self._run.id):
            await asyncio.sleep(BLIND_SECONDS)
            return True
        question = await asking.put(self._s, await self._s.database.read(self._question, ask))
        while question.answer is None:
            if ask.rule == "floor" and await self._room_again():
                question = await self._close(question)
                break
            await self._s.live.wait(self._run.id, BLIND_SECONDS)
            question = await self._s.database.read(reviews.approval, question.id)
        if question.answer == "no":
            return False
        await self._box.go_on(_REASON)
        await asking.answered(self._s, self._run, question)
        return True

    def _question(self, c: sa.Connection, ask: Ask) -> Approval:
        settings = self._s.configuration.settings.sandbox
        number = allowed(c, self._run, ask.rule) + 1
        more = (
            f"yes: it may take {size(settings.disk_bytes)} more"
            if ask.rule == "disk"
            else "yes: try again now; by itself it goes on when there is room"
        )
        return Approval(
            id=ApprovalId(""),
            run=self._run.id,
            turn=self._turn,
            request=f"{ask.rule}/{number}",
            title="May it go on writing to the disk?",
            action=BOX,
            detail=f"{more}; no: it is stopped, and all it wrote is kept",
            reason=f"{ask.reason} (`sandbox.{'disk' if ask.rule == 'disk' else 'free_disk'}`)",
            opened=self._s.clock(),
        )

    async def _room_again(self) -> bool:
        floor = self._s.configuration.settings.sandbox.free_disk_bytes
        free = self._gauge.free()
        if free is None:
            facts = await self._gauge.measured()
            free = 0 if facts is None else facts.free
        return free >= floor * ROOM_AGAIN
