"""Reviews, comments and approvals: everything that waits for a person, each decided exactly once."""

from typing import Final

import sqlalchemy as sa

from app.domain.base import Value
from app.domain.errors import NotFound, NotNow
from app.domain.ids import ApprovalId, ReviewId, RunId, approval_id
from app.domain.review import (
    OWN,
    RAISE,
    Approval,
    Comment,
    LandingStyle,
    Review,
    Scope,
    TurnCommit,
    Verdict,
)
from app.store import tasks
from app.store.sql import insert_once, plain, value
from app.store.tables import APPROVAL, COMMENT, REVIEW
from app.wire import NewComment


def add_review(c: sa.Connection, review: Review) -> bool:
    return insert_once(c, REVIEW, **plain(review))


def replace_review(c: sa.Connection, review: Review) -> None:
    """Put a new look at the world under the same id; whatever was decided about the old one is void."""
    fields = {k: v for k, v in plain(review).items() if k != "id"}
    c.execute(sa.update(REVIEW).where(REVIEW.c.id == review.id).values(**fields))


def review(c: sa.Connection, review_id: ReviewId) -> Review:
    row = c.execute(sa.select(REVIEW).where(REVIEW.c.id == review_id)).fetchone()
    if row is None:
        raise NotFound(f"there is no review {review_id}")
    return value(row, Review)


def reviews_of(c: sa.Connection, run: RunId) -> tuple[Review, ...]:
    """All reviews of a run, oldest first."""
    rows = c.execute(sa.select(REVIEW).where(REVIEW.c.run == run).order_by(REVIEW.c.round))
    return tuple(value(row, Review) for row in rows)


def newest_review(c: sa.Connection, run: RunId) -> Review:
    found = reviews_of(c, run)
    if not found:
        raise NotNow(f"run {run} has nothing to review yet", hint=f"`swarm why {run}` says why.")
    return found[-1]


class Lands(Value, frozen=True, kw_only=True):
    """How an approved change shall land."""

    style: LandingStyle = "squash"
    commits: tuple[TurnCommit, ...] = ()
    """Those of a rebase."""


SQUASHED: Final = Lands()


def decide(  # noqa: PLR0913 - a column each
    c: sa.Connection,
    review_id: ReviewId,
    verdict: Verdict,
    *,
    by: str,
    at: float,
    note: str,
    message: str = "",
    lands: Lands = SQUASHED,
) -> bool:
    """Record a verdict, what a commit shall say, how it lands; False when a verdict was given before."""
    undecided = sa.update(REVIEW).where(REVIEW.c.id == review_id, REVIEW.c.verdict.is_(None))
    result = c.execute(
        undecided.values(
            verdict=str(verdict),
            by=by,
            decided=at,
            note=note,
            message=message,
            **plain(lands),
        )
    )
    return result.rowcount == 1


def withdraw(c: sa.Connection, review_id: ReviewId) -> None:
    """Take a verdict back because what it was about no longer holds."""
    c.execute(
        sa.update(REVIEW)
        .where(REVIEW.c.id == review_id, REVIEW.c.merged == "")
        .values(verdict=None, by="", decided=None)
    )


def landed(c: sa.Connection, review_id: ReviewId, commit: str) -> None:
    c.execute(sa.update(REVIEW).where(REVIEW.c.id == review_id).values(merged=commit))


def add_comment(c: sa.Connection, run: RunId, new: NewComment, *, at: float) -> Comment:
    tasks.hold(c, run)
    count = sa.select(sa.func.coalesce(sa.func.max(COMMENT.c.number), 0)).where(
        COMMENT.c.run == run
    )
    number = int(c.execute(count).scalar_one()) + 1
    last = new.last if new.last > new.line else 0
    comment = Comment(
        run=run,
        number=number,
        path=new.path,
        line=new.line,
        last=last,
        text=new.text,
        by=new.by,
        at=at,
    )
    c.execute(sa.insert(COMMENT).values(**plain(comment)))
    return comment


def comments_of(c: sa.Connection, run: RunId, *, unsent: bool = False) -> tuple[Comment, ...]:
    query = sa.select(COMMENT).where(COMMENT.c.run == run).order_by(COMMENT.c.number)
    if unsent:
        query = query.where(COMMENT.c.sent.is_(False))
    return tuple(value(row, Comment) for row in c.execute(query))


def mark_sent(c: sa.Connection, run: RunId) -> None:
    c.execute(sa.update(COMMENT).where(COMMENT.c.run == run).values(sent=True))


def ask(c: sa.Connection, question: Approval) -> Approval:
    """Open a question, or find it again: as it was asked, or an agent's to which nobody listens any more."""
    tasks.hold(c, question.run)
    same = sa.select(APPROVAL).where(
        APPROVAL.c.run == question.run,
        APPROVAL.c.turn == question.turn,
        APPROVAL.c.request == question.request,
    )
    if row := c.execute(same).fetchone():
        return value(row, Approval)
    if not question.own and (lost := _lost(c, question)) is not None:
        asked = sa.update(APPROVAL).where(APPROVAL.c.id == lost.id)
        c.execute(asked.values(turn=question.turn, request=question.request))
        return value(c.execute(same).one(), Approval)
    count = c.execute(
        sa.select(sa.func.count()).select_from(APPROVAL).where(APPROVAL.c.run == question.run)
    ).scalar_one()
    fields = plain(question) | {"id": approval_id(question.run, int(count) + 1)}
    c.execute(sa.insert(APPROVAL).values(**fields))
    return value(c.execute(same).one(), Approval)


def _lost(c: sa.Connection, question: Approval) -> Approval | None:
    """The same question, asked by a program that is gone, whose answer no agent has been given."""
    query = sa.select(APPROVAL).where(
        APPROVAL.c.run == question.run,
        APPROVAL.c.turn == 0,
        APPROVAL.c.action == question.action,
        APPROVAL.c.tool == question.tool,
        APPROVAL.c.detail == question.detail,
    )
    found = (value(row, Approval) for row in c.execute(query.order_by(APPROVAL.c.opened)))
    return next((each for each in found if each.paths == question.paths), None)


def lose(c: sa.Connection, run: RunId) -> None:
    """Nobody listens to what the agent asked: its program is gone. Answers that were not heard still count.

    What swarm itself asked is about the box as it was then, and is asked again when it is so again.
    """
    unheard = sa.and_(
        APPROVAL.c.run == run,
        APPROVAL.c.turn > 0,
        APPROVAL.c.heard.is_(None),
        APPROVAL.c.action.not_in(OWN),
        sa.or_(APPROVAL.c.answer.is_(None), APPROVAL.c.by != "swarm"),
    )
    c.execute(sa.update(APPROVAL).where(unheard).values(turn=0, request=APPROVAL.c.id))


def heard(c: sa.Connection, approval_id_: ApprovalId, *, at: float) -> None:
    """The agent was given the answer."""
    found = sa.update(APPROVAL).where(APPROVAL.c.id == approval_id_, APPROVAL.c.heard.is_(None))
    c.execute(found.values(heard=at))


def approval(c: sa.Connection, approval_id_: ApprovalId) -> Approval:
    row = c.execute(sa.select(APPROVAL).where(APPROVAL.c.id == approval_id_)).fetchone()
    if row is None:
        raise NotFound(f"there is no question {approval_id_}", hint="`swarm inbox` lists them.")
    return value(row, Approval)


def approvals_of(c: sa.Connection, run: RunId) -> tuple[Approval, ...]:
    rows = c.execute(sa.select(APPROVAL).where(APPROVAL.c.run == run).order_by(APPROVAL.c.opened))
    return tuple(value(row, Approval) for row in rows)


def open_approvals(c: sa.Connection) -> tuple[Approval, ...]:
    """Unanswered questions of all runs, oldest first."""
    rows = c.execute(
        sa.select(APPROVAL).where(APPROVAL.c.answer.is_(None)).order_by(APPROVAL.c.opened)
    )
    return tuple(value(row, Approval) for row in rows)


def late(c: sa.Connection, now: float) -> tuple[ApprovalId, ...]:
    """Unanswered questions whose time has passed."""
    query = sa.select(APPROVAL.c.id).where(APPROVAL.c.answer.is_(None), APPROVAL.c.deadline <= now)
    return tuple(ApprovalId(found) for found in c.execute(query).scalars())


def answer(
    c: sa.Connection,
    approval_id_: ApprovalId,
    *,
    yes: bool,
    by: str,
    at: float,
    note: str,
    scope: Scope = "once",
) -> bool:
    """Answer a question; False when somebody was first."""
    result = c.execute(
        sa.update(APPROVAL)
        .where(APPROVAL.c.id == approval_id_, APPROVAL.c.answer.is_(None))
        .values(answer="yes" if yes else "no", by=by, answered=at, note=note, scope=scope)
    )
    return result.rowcount == 1


def void_approvals(
    c: sa.Connection, run: RunId, turn: int, *, at: float, keep_raise: bool = False
) -> None:
    """Close the questions of a turn that has ended: nobody is waiting for their answers.

    With `keep_raise`, one for a larger budget stays: its answer sends the run back to work.
    """
    still_open = sa.update(APPROVAL).where(
        APPROVAL.c.run == run, APPROVAL.c.turn == turn, APPROVAL.c.answer.is_(None)
    )
    if keep_raise:
        still_open = still_open.where(APPROVAL.c.action != RAISE)
    note = "the turn ended before an answer"
    c.execute(still_open.values(answer="no", by="swarm", answered=at, note=note))


def void_all(c: sa.Connection, run: RunId, *, at: float, why: str) -> None:
    """Close every question of a run with which something else was done."""
    still_open = sa.update(APPROVAL).where(APPROVAL.c.run == run, APPROVAL.c.answer.is_(None))
    c.execute(still_open.values(answer="no", by="swarm", answered=at, note=why))


def still_asks(c: sa.Connection, run: RunId, action: str = "") -> bool:
    """Whether a question of the run is open, of that action or of any."""
    query = sa.select(APPROVAL.c.id).where(APPROVAL.c.run == run, APPROVAL.c.answer.is_(None))
    if action:
        query = query.where(APPROVAL.c.action == action)
    return c.execute(query.limit(1)).scalar() is not None
