"""Watches how long an agent works: it tells when its time is nearly up, and then halts the box and asks a person.

As with room on the disk nothing is kept but the question, so a supervisor that comes after a crash finds it in the
inbox and the box halted, and waits on.
"""

import asyncio
import logging
from typing import Final

from app.config.budget import ceilings
from app.domain.budget import Account, Passed, crossed
from app.domain.events import Refused
from app.domain.review import RAISE
from app.domain.run import Run
from app.gateway.admission import BUDGET_STATUS
from app.store import budgets, ledger, reviews
from app.supervisor import asking, raises
from app.supervisor.box import Box
from app.supervisor.hours import Used, limited, used
from app.supervisor.money import tell_passed
from app.supervisor.services import Services

LOOK_SECONDS: Final = 5.0
_REASON: Final = "time"
_LOOKED_AT: Final = ("run/", "task/", "flow/")
"""Budgets that begin anew when a person looks; the others do with their day or month."""

_log = logging.getLogger(__name__)


class Overtime:
    """Over one turn of one run."""

    def __init__(self, s: Services, run: Run, turn: int, box: Box) -> None:
        self._s = s
        self._run = run
        self._turn = turn
        self._box = box
        self._above = ceilings(s.configuration.settings.budget)
        self._told: set[tuple[str, int]] = set()

    async def follow(self) -> None:
        """Until it is cancelled, or no time is left to the run."""
        who = await self._s.database.read(budgets.account, self._run.id)
        if not limited(who, self._above, self._s.clock()):
            await asyncio.Event().wait()
        await self._take_up()
        while True:
            least = await self._look(who)
            if least.left <= 0 and not await self._more(who, least):
                await self._refuse(least)
                return
            await asyncio.sleep(min(LOOK_SECONDS, max(least.left, 0.1)))

    async def _take_up(self) -> None:
        """A supervisor before this one may have halted the box for a question that was answered meanwhile."""
        asked = await self._s.database.read(reviews.approvals_of, self._run.id)
        ours = (each for each in asked if each.action == RAISE and each.turn == self._turn)
        if any(each.request.startswith("time/") for each in ours):
            await self._box.go_on(_REASON)

    async def _look(self, who: Account) -> Used:
        """The budget with the least time left; of those near their limits somebody is told."""
        now = self._s.clock()
        stand = await self._s.database.read(used, who, self._above, now)
        for each in stand:
            for percent in crossed(int(each.limit), int(each.worked), who.limits.warn):
                await self._tell(each, percent, now)
        return min(stand, key=lambda each: each.left)

    async def _tell(self, near: Used, percent: int, now: float) -> None:
        tally = f"{near.cap.key}/time"
        if near.cap.key.startswith(_LOOKED_AT) and near.since:
            tally += f"/{near.since:.0f}"
        if (tally, percent) in self._told:
            return
        self._told.add((tally, percent))
        found = Passed(
            tally=tally,
            percent=percent,
            run=self._run.id,
            at=now,
            of=near.cap.of,
            spent=int(near.worked),
            cap=int(near.limit),
            unit="time",
        )
        if await self._s.database.write(budgets.note_passed, found):
            tell_passed(self._s.broker, found)

    async def _more(self, who: Account, lack: Used) -> bool:
        """Halt the box, ask, and wait as long as the run may be kept waiting; whether it goes on."""
        if who.limits.on_limit == "stop" or not await self._box.halted_for(_REASON, self._run.id):
            return False
        now = self._s.clock()
        asked = await self._s.database.write(raises.ask_time, self._run.id, lack, now)
        await asking.show(self._s, asked)
        while asked.answer is None and self._s.clock() < asked.opened + who.limits.park:
            await self._s.live.wait(self._run.id, LOOK_SECONDS)
            if (await self._look(who)).left > 0:
                await asking.close(self._s, asked, "there is time again")
            asked = await self._s.database.read(reviews.approval, asked.id)
        if asked.answer == "yes":
            await asking.answered(self._s, self._run, asked)
            await self._box.go_on(_REASON)
        return asked.answer == "yes"

    async def _refuse(self, lack: Used) -> None:
        """Have the agent told and ended, as with every budget; halted, it could not hear it."""
        until = " until a person looks" if lack.cap.key.startswith(_LOOKED_AT) else ""
        why = f"the time of {lack.cap.of} is used up: {lack.limit:,.0f} s of work{until}"
        refused = Refused(why=why, status=BUDGET_STATUS, budget=True)
        await self._s.database.write(
            ledger.refuse, run=self._run.id, refused=refused, now=self._s.clock()
        )
        if self._box.halted:
            await self._box.go_on(_REASON)
        self._s.live.wake(self._run.id)
