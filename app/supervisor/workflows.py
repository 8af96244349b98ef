"""The durable story of a run: three short cursors over steps. Only ids go in, nothing here decides anything.

None of them waits for a person: a review is a row, and the verb that decides it enqueues `finish`.
Changing the order of steps here means bumping `ENGINE_VERSION`; changing a step does not.
"""

from collections.abc import Awaitable, Callable

from app.domain.ids import ReviewId, RunId
from app.supervisor.engine import step
from app.supervisor.names import ATTEMPT, FINISH, PLACE, attempt_id
from app.supervisor.services import Services
from app.supervisor.steps import check, decide, finish, prepare, snapshot, work


def workflows(s: Services) -> dict[str, Callable[..., Awaitable[None]]]:
    """The workflows of one supervisor, by the names under which they are recorded."""

    async def place(run: str, round_: int) -> None:
        """On any host that has room: take the run home."""
        await step("place", prepare.take, s, RunId(run))
        await s.engine.enqueue_child(ATTEMPT, attempt_id(RunId(run), round_), run, round_)

    async def attempt(run: str, round_: int) -> None:
        """On the run's own host: turns until a person has something to look at."""
        turn = await step("prepare", prepare.prepare, s, RunId(run), round_)
        while turn:
            await step("work", work.work, s, RunId(run), turn)
            await step("snapshot", snapshot.snapshot, s, RunId(run), turn)
            await step("check", check.check, s, RunId(run), turn)
            turn = await step("decide", decide.decide, s, RunId(run), turn)
        await step("settle", decide.settle, s, RunId(run), round_)

    async def finish_(run: str, review: str) -> None:
        """After a person's word: land the approved result, or put the run into the trash."""
        outcome = await step("merge", finish.land, s, RunId(run), ReviewId(review))
        await step("record", finish.record, s, RunId(run), ReviewId(review), outcome)
        await step("clean_up", finish.clean_up, s, RunId(run))

    return {PLACE: place, ATTEMPT: attempt, FINISH: finish_}
