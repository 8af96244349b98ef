"""What a person is asked to approve: computed from the target as it is now, and again whenever it moves."""

import contextlib

import msgspec

from app.domain.errors import NotNow, RepoError, UsageError
from app.domain.ids import RunId, review_id
from app.domain.review import Review
from app.domain.run import Run, RunState
from app.domain.task import Task, commit_message
from app.repo import merges, repository
from app.repo.content import secrets_in
from app.store import reviews, turns
from app.supervisor.services import Services


async def open_review(s: Services, run_id: RunId) -> Review:
    """The review of this round, opened if it is not."""
    task, run = await s.task_and_run(run_id)
    found = await s.database.read(reviews.reviews_of, run_id)
    if found and found[-1].round == run.round:
        return found[-1]
    review = await _look(s, task, run)
    await s.database.write(reviews.add_review, review)
    return review


async def refreshed(s: Services, run_id: RunId) -> None:
    """Look again when the target has moved under an undecided review; the old look is void."""
    task, run = await s.task_and_run(run_id)
    if run.state != RunState.IN_REVIEW or s.away(task):
        return
    shown = await s.database.read(reviews.newest_review, run_id)
    repo, _hub = await s.repository(task)
    if await repository.tip_of(repo, task.target) in (shown.tip, None):
        return
    await s.database.write(reviews.replace_review, await _look(s, task, run, shown))


async def behind(s: Services, run_id: RunId) -> int:
    """How many commits the target has that the work did not start from; 0 once nothing will land."""
    task, run = await s.task_and_run(run_id)
    if not run.base or run.state in (RunState.MERGED, RunState.DISCARDED) or s.away(task):
        return 0
    with contextlib.suppress(RepoError, UsageError):
        repo, _hub = await s.repository(task)
        return await repository.behind(repo, run.base, task.target)
    return 0


async def _look(s: Services, task: Task, run: Run, before: Review | None = None) -> Review:
    if not run.snapshot:
        raise NotNow(f"run {run.id} has changed nothing, so there is nothing to review")
    repo, hub = await s.repository(task)
    proposal = await merges.propose(
        repo,
        hub,
        target=task.target,
        base=run.base,
        snapshot=run.snapshot,
        policy=task.policy,
    )
    words = secrets_in(commit_message(task.goal), "commit message", task.policy)
    now = Review(
        id=review_id(run.id, run.round),
        run=run.id,
        round=run.round,
        base=run.base,
        snapshot=run.snapshot,
        target=task.target,
        tip=proposal.tip,
        result_tree=proposal.result_tree,
        conflicts=proposal.conflicts,
        files=proposal.files,
        findings=(*words, *proposal.findings),
        checks=await s.database.read(turns.checks_of, run.id),
        opened=s.clock(),
    )
    return msgspec.structs.replace(now, opened=before.opened) if before else now
