"""Landing, undoing and bringing back: what a person's decision means for the user's repository."""

from collections.abc import Iterator

import msgspec

from app.domain.errors import NotNow
from app.domain.ids import RunId
from app.domain.review import Review, subject_of
from app.domain.run import Run, RunState
from app.domain.task import Task, commit_message
from app.repo import merges, repository, trash, undoing
from app.repo.merges import Below, Landing, Side, Words
from app.repo.repository import Repository
from app.repo.transfer import contains
from app.repo.undoing import Undone
from app.repo.worktrees import Worktree
from app.store import audit, reviews
from app.supervisor.faults import fault
from app.supervisor.services import Services


def worktree_of(run: Run) -> Worktree:
    return Worktree(run=run.id, branch=run.branch, path=run.worktree)


async def landing_of(task: Task, review: Review, repo: Repository) -> Landing:
    """The commit that an approved review stands for; always the same one."""
    words = Words(
        message=review.message or commit_message(task.goal),
        trailers=merges.trailers(review.run, snapshot=review.snapshot, review=review.id),
        author=await repository.identity(repo),
        date=review.decided or review.opened,
    )
    return Landing(
        target=review.target,
        tip=review.tip,
        result_tree=review.result_tree,
        side=Side(base=review.base, snapshot=review.snapshot) if review.style == "merge" else None,
        below=tuple(_below(review, words)),
        words=words,
    )


def _below(review: Review, words: Words) -> Iterator[Below]:
    """The commits of a rebase but the last, each named after its turn."""
    for number, commit in enumerate(review.commits[:-1]):
        subject = subject_of(review.commits, number, words.message)
        yield Below(tree=commit.tree, words=msgspec.structs.replace(words, message=subject))


async def refuse_unmergeable(s: Services, review: Review) -> None:
    """A merge commit would bring all behind the base along, unless the target has that already."""
    if review.left_out:
        raise NotNow(
            f"parts of {review.run} are left out: a merge would bring them along on its side",
            hint="Land it as one commit, or take everything back in.",
        )
    task, _run = await s.task_and_run(review.run)
    repo, _hub = await s.repository(task)
    if not await contains(repo.git(), review.tip, review.base):
        raise NotNow(
            f"{review.target!r} does not hold the commit that {review.run} started from: "
            "a merge would bring along what stands behind that",
            hint="Land it as one commit: `swarm approve` without `--merge`.",
        )


async def undo(s: Services, run_id: RunId, by: str) -> Undone:
    """Take the merged change off its target; how, and where the target is now."""
    task, run = await s.task_and_run(run_id)
    review = await s.database.read(reviews.newest_review, run_id)
    if run.state != RunState.MERGED or not review.merged:
        raise NotNow(f"run {run_id} is {run.state}; only a merged change can be undone")
    repo, hub = await s.repository(task)
    words = Words(
        message=f"Undo: {review.message or commit_message(task.goal)}",
        trailers=(("Swarm-Run", run_id),),
        author=await repository.identity(repo),
        date=s.clock(),
    )
    done = await undoing.undo(
        repo,
        hub,
        review.merged,
        run=run_id,
        target=review.target,
        words=words,
        before=review.tip,
    )
    fault("act:undo")
    await s.database.write(
        audit.record,
        key=f"{run_id}/undone/{done.commit}",
        what="undone",
        actor=by,
        at=s.clock(),
        run=run_id,
        undoes=review.merged,
        how=done.how,
        commit=done.commit,
    )
    return done


async def restore(s: Services, run_id: RunId) -> None:
    """Branch and worktree back from the trash."""
    task, run = await s.task_and_run(run_id)
    if run.state != RunState.DISCARDED:
        raise NotNow(f"run {run_id} is {run.state}; it is not in the trash")
    if run.branch:
        repo, hub = await s.repository(task)
        await repository.keep(repo, run_id, run.base)
        await trash.restore(repo, hub, worktree_of(run))
