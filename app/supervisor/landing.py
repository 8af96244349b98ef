"""Landing, undoing and bringing back: what a person's decision means for the user's repository."""

from app import wire
from app.domain.errors import NeedsHuman, NotNow
from app.domain.ids import RunId
from app.domain.review import Review
from app.domain.run import Run, RunState
from app.domain.task import Task
from app.repo import merges, repository, trash
from app.repo.merges import Landing, Words
from app.repo.repository import Repository
from app.repo.worktrees import Worktree
from app.store import audit, reviews
from app.supervisor.services import Services
from policies.decisions import Deny
from policies.merging import may_merge
from policies.requests import CheckFact, MergeRequest


def worktree_of(run: Run) -> Worktree:
    return Worktree(run=run.id, branch=run.branch, path=run.worktree)


def refuse_unapprovable(review: Review, body: wire.Approve) -> None:
    """Raise unless the approval names what would land, and takes every CONFIRM finding upon itself."""
    if body.review != review.id or body.tree != review.result_tree:
        raise NotNow(
            f"what you looked at is not what would land now: run {review.run} has changed since",
            hint=f"Look again: `swarm diff {review.run}`.",
        )
    decision = may_merge(merge_request(review, tip=review.tip, tree=body.tree))
    if isinstance(decision, Deny):
        raise NotNow(
            f"run {review.run} cannot land: {decision.reason}",
            hint=f'Send it back with `swarm changes {review.run} "…"`, or discard it.',
        )
    open_ = {f.path for f in review.findings if f.severity == "confirm"} - set(body.confirmed)
    if open_:
        raise NeedsHuman(
            f"these files need a word of their own: {', '.join(sorted(open_))}",
            hint=" ".join(["Confirm each:", *(f"--confirm {path}" for path in sorted(open_))]),
        )


def merge_request(review: Review, *, tip: str, tree: str) -> MergeRequest:
    return MergeRequest(
        approved_tree=tree,
        result_tree=review.result_tree,
        approved_tip=review.tip,
        target_tip=tip,
        checks=tuple(CheckFact(check.command, check.passed) for check in review.checks),
        conflicts=review.conflicts,
        blocked=tuple(f.path for f in review.findings if f.severity == "block"),
    )


async def landing_of(task: Task, review: Review, repo: Repository) -> Landing:
    """The commit that an approved review stands for; always the same one."""
    return Landing(
        target=review.target,
        tip=review.tip,
        result_tree=review.result_tree,
        words=Words(
            message=message_of(task),
            trailers=merges.trailers(review.run, snapshot=review.snapshot, review=review.id),
            author=await repository.identity(repo),
            date=review.decided or review.opened,
        ),
    )


def message_of(task: Task) -> str:
    """Subject and body of the squashed commit: the goal, its first line as the subject."""
    first, _, rest = task.goal.partition("\n")
    if len(first) <= 72:
        return f"{first}\n\n{rest.strip()}".strip()
    return f"{first[:71]}…\n\n{task.goal}"


async def undo(s: Services, run_id: RunId, by: str) -> str:
    """A new commit on the target that takes the merged change back; its id."""
    task, run = await s.task_and_run(run_id)
    review = await s.database.read(reviews.newest_review, run_id)
    if run.state != RunState.MERGED or not review.merged:
        raise NotNow(f"run {run_id} is {run.state}; only a merged change can be undone")
    repo, hub = await s.repository(task)
    words = Words(
        message=f"Undo: {message_of(task)}",
        trailers=(("Swarm-Run", run_id),),
        author=await repository.identity(repo),
        date=s.clock(),
    )
    commit = await merges.undo(repo, hub, review.merged, target=review.target, words=words)
    await s.database.write(
        audit.record,
        key=f"{run_id}/undone/{commit}",
        what="undone",
        actor=by,
        at=s.clock(),
        run=run_id,
        undoes=review.merged,
        commit=commit,
    )
    return commit


async def restore(s: Services, run_id: RunId) -> None:
    """Branch and worktree back from the trash."""
    task, run = await s.task_and_run(run_id)
    if run.state != RunState.DISCARDED:
        raise NotNow(f"run {run_id} is {run.state}; it is not in the trash")
    if run.branch:
        repo, hub = await s.repository(task)
        await repository.keep(repo, run_id, run.base)
        await trash.restore(repo, hub, worktree_of(run))
