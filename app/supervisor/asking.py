"""Questions to a person that stand in the inbox, and the run's state while they do."""

from typing import Final

import sqlalchemy as sa

from app.domain.events import Answered, Asked
from app.domain.review import Approval
from app.domain.run import Run, RunState
from app.store import audit, reviews
from app.supervisor.services import Services

BY: Final = "swarm"
"""Who has answered what no person did."""


async def put(s: Services, question: Approval) -> Approval:
    """The question as it stands in the inbox, with its id; the run waits unless it was answered before."""
    return await show(s, await s.database.write(reviews.ask, question))


async def show(s: Services, stored: Approval) -> Approval:
    """Say in log and state that it waits for a person, unless it was answered before; again it changes nothing."""
    if stored.answer is None:
        key = f"turn-{stored.turn}/{stored.id}"
        await s.broker.record(stored.run, f"asked/{stored.id}", Asked(stored.id, stored.title))
        await s.move(stored.run, RunState.WAITING, key=key, reason=stored.title)
    return stored


async def close(s: Services, question: Approval, note: str) -> Approval:
    """Answer it with yes in swarm's own name, unless somebody was first: nobody has to answer it any more."""

    def write(c: sa.Connection) -> Approval:
        reviews.answer(c, question.id, yes=True, by=BY, at=s.clock(), note=note)
        return reviews.approval(c, question.id)

    done = await s.database.write(write)
    await tell(s, done, yes=done.answer == "yes", by=done.by)
    return done


def write_down(
    c: sa.Connection, asked: Approval, *, yes: bool, by: str, at: float, **detail: str
) -> None:
    """The audit row of an answer, in the transaction that gives it."""
    audit.record(
        c,
        key=f"{asked.id}/answered",
        what=f"question answered {'yes' if yes else 'no'}",
        actor=by,
        at=at,
        run=asked.run,
        question=asked.title,
        detail=asked.detail,
        **detail,
    )


async def tell(s: Services, asked: Approval, *, yes: bool, by: str) -> None:
    """Say in the run's log how it was answered."""
    said = Answered(asked.id, "yes" if yes else "no", by)
    await s.broker.record(asked.run, f"answered/{asked.id}", said)


async def answered(s: Services, run: Run, question: Approval) -> None:
    """The run goes on, unless something else of it waits for a person."""
    asked = await s.database.read(reviews.approvals_of, run.id)
    if all(each.answer is not None for each in asked):
        await s.move(run.id, RunState.WORKING, key=f"turn-{question.turn}/{question.id}")
