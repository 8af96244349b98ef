"""Questions to a person that stand in the inbox, and the run's state while they do."""

from app.domain.events import Asked
from app.domain.review import Approval
from app.domain.run import Run, RunState
from app.store import reviews
from app.supervisor.services import Services


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


async def answered(s: Services, run: Run, question: Approval) -> None:
    """The run goes on, unless something else of it waits for a person."""
    asked = await s.database.read(reviews.approvals_of, run.id)
    if all(each.answer is not None for each in asked):
        await s.move(run.id, RunState.WORKING, key=f"turn-{question.turn}/{question.id}")
