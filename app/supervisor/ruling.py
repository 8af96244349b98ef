"""The rule a person makes of one question is the answer to others that are open, whichever run asks them."""

import sqlalchemy as sa

from app.domain.events import Answered, Note
from app.domain.review import Approval, Scope
from app.store import audit, reviews, tasks
from app.supervisor import rules
from app.supervisor.homes import elsewhere
from app.supervisor.services import Services


def answer_others(
    c: sa.Connection, s: Services, asked: Approval, *, by: str, at: float, scope: Scope
) -> tuple[Approval, ...]:
    """Answer what the rule that was made of `asked` allows as well; which those are. A yes for once makes no rule.

    In the transaction of the rule. All rules are looked at as for a new question: what another one denies, or
    wants a person for, stays open. So does what is asked on other hosts, which have rules of their own.
    """
    if scope == "once":
        return ()
    reached = [each for each in reviews.open_approvals(c) if _reaches(c, s, asked, scope, each)]
    return tuple(
        each for each in reached if rules.allows(c, s, each) and _answer(c, each, asked, by, at)
    )


def _reaches(c: sa.Connection, s: Services, asked: Approval, scope: Scope, other: Approval) -> bool:
    if other.own or (scope == "run" and other.run != asked.run):
        return False
    return not elsewhere(s, tasks.run(c, other.run))


def _answer(c: sa.Connection, each: Approval, asked: Approval, by: str, at: float) -> bool:
    if not reviews.answer(c, each.id, yes=True, by=by, at=at, note=""):
        return False
    return audit.record(
        c,
        key=f"{each.id}/answered",
        what="question answered yes",
        actor=by,
        at=at,
        run=each.run,
        question=each.title,
        detail=each.detail,
        rule=rules.name_of(asked),
        because_of=asked.id,
    )


async def tell(s: Services, answered: Approval, asked: Approval, by: str) -> None:
    """Say so in the log of the run, and wake who waits for it."""
    why = Note(f"answered by the rule that {by or 'a person'} made of {asked.id}")
    s.broker.post(answered.run, f"answered/{answered.id}/why", why)
    await s.broker.record(answered.run, f"answered/{answered.id}", Answered(answered.id, "yes", by))
    s.live.wake(answered.run)
