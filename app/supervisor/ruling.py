"""Rules answer what is open already: one that a person makes of a question at once, one written by hand soon."""

from typing import Final

import msgspec
import sqlalchemy as sa

from app.config import policy_file
from app.domain.events import Note
from app.domain.review import Approval, Scope
from app.store import reviews, tasks
from app.supervisor import asking, rules
from app.supervisor.homes import elsewhere
from app.supervisor.patrol import every
from app.supervisor.services import Services
from policies.decisions import Allow, Ask, Deny

LOOK_SECONDS: Final = 2.0
"""How long a rule that was written by hand may go unnoticed."""


class Ruled(msgspec.Struct, frozen=True):
    """A question that a rule has answered."""

    asked: Approval
    yes: bool
    by: str
    why: str
    """For the run's log."""


def answer_others(
    c: sa.Connection, s: Services, asked: Approval, *, by: str, at: float, scope: Scope
) -> tuple[Ruled, ...]:
    """Answer what the rule that was made of `asked` allows as well; which those are. A yes for once makes no rule.

    In the transaction of the rule. All rules are looked at as for a new question: what another one denies, or
    wants a person for, stays open. So does what is asked on other hosts, which have rules of their own.
    """
    if scope == "once":
        return ()
    why = f"answered by the rule that {by or 'a person'} made of {asked.id}"
    detail = {"rule": rules.name_of(asked), "because_of": asked.id}
    return tuple(
        Ruled(each, yes=True, by=by, why=why)
        for each in _open_here(c, s)
        if (scope == "always" or each.run == asked.run)
        and isinstance(rules.verdict(c, s, each), Allow)
        and _answer(c, each, yes=True, by=by, at=at, **detail)
    )


def _open_here(c: sa.Connection, s: Services) -> list[Approval]:
    """What agents of this host ask."""
    asked = (each for each in reviews.open_approvals(c) if not each.own)
    return [each for each in asked if not elsewhere(s, tasks.run(c, each.run))]


def _answer(
    c: sa.Connection,
    each: Approval,
    *,
    yes: bool,
    by: str,
    at: float,
    note: str = "",
    **detail: str,
) -> bool:
    """Whether nobody had answered it before."""
    if not reviews.answer(c, each.id, yes=yes, by=by, at=at, note=note):
        return False
    asking.write_down(c, each, yes=yes, by=by, at=at, **detail)
    return True


async def tell(s: Services, done: Ruled) -> None:
    """Say so in the log of the run, and wake who waits for it."""
    run = done.asked.run
    s.broker.post(run, f"answered/{done.asked.id}/why", Note(done.why))
    await asking.tell(s, done.asked, yes=done.yes, by=done.by)
    s.live.wake(run)


async def heed_rules(s: Services) -> None:
    """For ever: what a person writes into the file of rules answers the questions that are open."""
    seen: tuple[int, ...] | None = None

    async def look() -> None:
        nonlocal seen
        found = policy_file.stamp(s.places.config)
        if found != seen:
            for done in await s.database.write(_answer_by_rules, s, s.clock()):
                await tell(s, done)
            seen = found

    await every(LOOK_SECONDS, "open questions were not looked at anew", look)


def _answer_by_rules(c: sa.Connection, s: Services, at: float) -> list[Ruled]:
    done = []
    for each in _open_here(c, s):
        match rules.verdict(c, s, each):
            case Allow(rule=rule):
                yes, note = True, ""
            case Deny(rule=rule, reason=note):
                yes = False
            case Ask():
                continue
        if _answer(c, each, yes=yes, by=asking.BY, at=at, note=note, rule=rule):
            done.append(Ruled(each, yes=yes, by=asking.BY, why=f"answered by the rule {rule}"))
    return done
