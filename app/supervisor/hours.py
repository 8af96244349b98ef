"""How long an agent has worked since a person last looked. Time in which it waits for a person is its own."""

from collections.abc import Iterable

from app.domain.events import Refused
from app.domain.review import Approval
from app.domain.run import Run
from app.gateway.admission import BUDGET_STATUS
from app.store import budgets, ledger, reviews, turns
from app.store.turns import Turn
from app.supervisor.services import Services


async def refuse_overtime(s: Services, run: Run) -> None:
    """Note that the run has no time left, when it has none; what tends it ends it then."""
    limit = (await s.database.read(budgets.account, run.id)).limits.seconds
    if limit is None:
        return
    now = s.clock()
    known = await s.database.read(turns.turns_of, run.id)
    asked = await s.database.read(reviews.approvals_of, run.id)
    if worked((turn for turn in known if turn.round == run.round), asked, now) >= limit:
        why = (
            f"the time of this run is used up: it may work for {limit:,.0f} s until a person looks"
        )
        refused = Refused(why=why, status=BUDGET_STATUS, budget=True)
        await s.database.write(ledger.refuse, run=run.id, refused=refused, now=now)


def worked(known: Iterable[Turn], asked: Iterable[Approval], now: float) -> float:
    """Seconds of these turns in which no question was open."""
    waits = sorted((each.opened, each.answered or now) for each in asked)
    return sum(_between(turn.began, turn.ended or now, waits) for turn in known)


def _between(begin: float, end: float, waits: list[tuple[float, float]]) -> float:
    """The length of a stretch of time without the waits in it, which may overlap."""
    total, at = 0.0, begin
    for opened, answered in waits:
        total += max(0.0, min(opened, end) - at)
        at = max(at, min(answered, end))
    return total + max(0.0, end - at)
