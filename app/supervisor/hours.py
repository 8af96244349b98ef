"""How long agents have worked, by budget. Time in which one waits for a person is its own."""

from typing import Final

from app.config.budget import ceilings
from app.domain.budget import Cap, chain, day_of
from app.domain.events import Refused
from app.domain.run import Run
from app.gateway.admission import BUDGET_STATUS
from app.store import budgets, hours, ledger
from app.store.hours import Stretch, Work
from app.supervisor.services import Services

_LOOKED_AT: Final = ("run/", "task/", "flow/")
"""Budgets that begin anew when a person looks; the others do with their day or month."""


async def refuse_overtime(s: Services, run: Run) -> None:
    """Note that no time is left to the run, when there is none; what tends it ends it then."""
    who = await s.database.read(budgets.account, run.id)
    now = s.clock()
    for cap in chain(who, ceilings(s.configuration.settings.budget), day_of(now)):
        if cap.seconds is None:
            continue
        work = await s.database.read(hours.work_under, who, cap)
        if worked(work, now) >= cap.seconds:
            refused = Refused(why=_why(cap), status=BUDGET_STATUS, budget=True)
            await s.database.write(ledger.refuse, run=run.id, refused=refused, now=now)
            return


def _why(cap: Cap) -> str:
    until = " until a person looks" if cap.key.startswith(_LOOKED_AT) else ""
    return f"the time of {cap.of} is used up: {cap.seconds:,.0f} s of work{until}"


def worked(work: Work, now: float) -> float:
    """Seconds of these turns in which no question of the same run was open."""
    total = 0.0
    for turn in work.turns:
        waits = sorted(_whole(wait, now) for wait in work.waits if wait.run == turn.run)
        began, ended = _whole(turn, now)
        total += _between(max(began, work.since), ended, waits)
    return total


def _whole(stretch: Stretch, now: float) -> tuple[float, float]:
    return stretch.began, now if stretch.ended is None else stretch.ended


def _between(begin: float, end: float, waits: list[tuple[float, float]]) -> float:
    """The length of a stretch of time without the waits in it, which may overlap."""
    total, at = 0.0, begin
    for opened, answered in waits:
        total += max(0.0, min(opened, end) - at)
        at = max(at, min(answered, end))
    return total + max(0.0, end - at)
