"""Landing turn by turn: which commits that would be, what each changes, and approving exactly those."""

import msgspec

from app import wire
from app.domain.errors import NotFound, NotNow
from app.domain.ids import RunId
from app.domain.review import Review, TurnCommit
from app.repo import diffs
from app.repo.replay import Left, replay
from app.store import reviews, turns
from app.supervisor import homes
from app.supervisor.proposals import refreshed
from app.supervisor.services import Services


async def commits(s: Services, run_id: RunId) -> tuple[TurnCommit, ...]:
    """The commits that a rebase of the open review would land; `NotNow` says why where it may not."""
    await homes.only_at_home(s, run_id)
    await refreshed(s, run_id)
    return await commits_of(s, await s.database.read(reviews.newest_review, run_id))


async def commits_of(s: Services, review: Review) -> tuple[TurnCommit, ...]:
    """What landing this review turn by turn would put on its target."""
    if review.left_out:
        raise NotNow(
            f"parts of {review.run} are left out: a rebase would bring them along in its turns",
            hint="Land it as one commit, or take everything back in.",
        )
    if not review.result_tree:
        raise NotNow(f"run {review.run} has nothing that could land as it is")
    task, run = await s.task_and_run(review.run)
    _repo, hub = await s.repository(task)
    known = await s.database.read(turns.turns_of, review.run)
    left = [Left(turn=each.number, snapshot=each.snapshot) for each in known if each.snapshot]
    for each in left:
        await homes.fetch(s, task, msgspec.structs.replace(run, snapshot=each.snapshot), hub)
    return await replay(hub, review, left, task.policy)


async def chosen(s: Services, review: Review, body: wire.Approve) -> tuple[TurnCommit, ...]:
    """The commits that are approved; none but for a rebase. Raises `NotNow` unless they are what was looked at."""
    if body.style != "rebase":
        return ()
    offered = await commits_of(s, review)
    if body.commits != tuple(each.tree for each in offered):
        raise NotNow(
            f"the commits you looked at are not those that a rebase of {review.run} would land",
            hint="Look again: `swarm approve --rebase` lists them, `swarm diff --turn` shows each.",
        )
    return offered


async def diff(s: Services, run_id: RunId, turn: int) -> bytes:
    """What the commit of that turn would change, on top of the one before it."""
    offered = await commits(s, run_id)
    review = await s.database.read(reviews.newest_review, run_id)
    task, _run = await s.task_and_run(run_id)
    _repo, hub = await s.repository(task)
    trees = [review.tip, *(each.tree for each in offered)]
    for number, each in enumerate(offered):
        if each.turn == turn:
            return await diffs.diff(hub, trees[number], each.tree)
    named = ", ".join(str(each.turn) for each in offered)
    raise NotFound(f"a rebase of {run_id} has no commit of turn {turn}; it has: {named}")
