"""What a person is asked to approve: computed from the target as it is now, and again whenever it moves."""

import contextlib

import msgspec
import sqlalchemy as sa

from app import wire
from app.domain.errors import NotNow, RepoError, UsageError
from app.domain.events import ReviewOpened
from app.domain.ids import RunId, review_id
from app.domain.review import Review
from app.domain.run import Run, RunState
from app.domain.task import Task, commit_message
from app.repo import merges, picking, repository
from app.repo.content import secrets_in
from app.store import audit, reviews, tasks, turns
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


async def pick(s: Services, run_id: RunId, body: wire.Pick) -> Review:
    """Leave parts out of what would land, or take all of it back in: a new tree, to be looked at and approved."""
    task, run = await s.task_and_run(run_id)
    await refreshed(s, run_id)
    shown = await s.database.read(reviews.newest_review, run_id)
    _refuse_unpickable(run, shown, body)
    _repo, hub = await s.repository(task)
    out = [
        await picking.named(hub, shown.tip, shown.result_tree, part.path, part.line)
        for part in body.leave_out
    ]
    kept = () if body.all else shown.left_out
    left_out = tuple(dict.fromkeys((*kept, *out)))
    now = await _look(s, task, run, msgspec.structs.replace(shown, left_out=left_out))
    if not now.files:
        raise NotNow(
            f"nothing of {run_id} would be left to land",
            hint=f"`swarm discard {run_id}` puts it into the trash.",
        )

    def write(c: sa.Connection) -> None:
        _refuse_unpickable(tasks.run(c, run_id), reviews.review(c, shown.id), body)
        reviews.replace_review(c, now)
        audit.deed(
            c,
            run_id,
            "picked",
            by=body.by,
            at=s.clock(),
            review=now.id,
            tree=now.result_tree,
            before=shown.result_tree,
            left_out=" ".join(f"{each.path}:{each.hunk or 'all'}" for each in left_out),
        )

    await s.database.write(write)
    opened = ReviewOpened(now.id, now.result_tree, now.conflicts)
    await s.broker.record(run_id, f"review/{now.id}/{now.result_tree}", opened)
    return now


def _refuse_unpickable(run: Run, shown: Review, body: wire.Pick) -> None:
    if run.state != RunState.IN_REVIEW or shown.verdict is not None:
        raise NotNow(f"run {run.id} is {run.state}; there is nothing to pick from")
    if (body.review, body.tree) != (shown.id, shown.result_tree) or not shown.result_tree:
        raise NotNow(
            f"what you looked at is not what would land now: run {run.id} has changed since",
            hint=f"Look again: `swarm diff {run.id}`.",
        )


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
    left_out = before.left_out if before else ()
    proposal = await merges.propose(
        repo,
        hub,
        target=task.target,
        base=run.base,
        snapshot=run.snapshot,
        policy=task.policy,
        left_out=left_out,
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
        left_out=left_out,
        # They saw the whole of it, which is something else.
        checks=() if left_out else await s.database.read(turns.checks_of, run.id),
        opened=s.clock(),
    )
    return msgspec.structs.replace(now, opened=before.opened) if before else now
