"""After a person's word: land exactly what was approved and write it down, or put everything into the trash."""

import contextlib
import shutil

import sqlalchemy as sa

from app.domain.events import Merged, Note
from app.domain.ids import ReviewId, RunId
from app.domain.run import Run, RunState
from app.domain.task import Task
from app.repo import history, merges, refs, repository, trash, tree
from app.repo.errors import TargetMoved
from app.repo.repository import Repository
from app.store import audit, reviews, tasks, turns
from app.store.keys import revoke
from app.supervisor.decisions import tell_decision
from app.supervisor.engine import desk_queue
from app.supervisor.errors import told
from app.supervisor.faults import fault
from app.supervisor.homes import elsewhere, forget
from app.supervisor.landing import landing_of, worktree_of
from app.supervisor.money import close_gateway
from app.supervisor.names import FINISH, tidy_id
from app.supervisor.outfitting import tear_down
from app.supervisor.proposals import refreshed
from app.supervisor.race import close_race
from app.supervisor.sandbox import open_sandbox, remove_sandboxes, rest
from app.supervisor.services import Services
from app.supervisor.snapshots import take_snapshot
from app.supervisor.trouble import TROUBLE, room_may_come


async def land(s: Services, run_id: RunId, review_id: ReviewId) -> dict[str, str]:
    """`commit` once it is on the target; `refused`, perhaps `void`, when it cannot be; none for the trash."""
    if not review_id:
        return {}
    task, _run = await s.task_and_run(run_id)
    review = await s.database.read(reviews.review, review_id)
    await tell_decision(s, review)
    if review.merged:
        return {"commit": review.merged}
    # The time is part of the outcome, so that writing it down twice writes the same.
    at = str(s.clock())
    try:
        repo, hub = await s.repository(task)
        landing = await landing_of(task, review, repo)
        return {"commit": await merges.land(repo, hub, landing)}
    except TargetMoved as error:
        return {"refused": told(error), "at": at, "void": "the target moved"}
    except TROUBLE as error:
        if await room_may_come(s, run_id, error):
            raise  # The engine says the step again until there is some.
        return {"refused": told(error), "at": at}


async def record(s: Services, run_id: RunId, review_id: ReviewId, outcome: dict[str, str]) -> str:
    """Write down what came of it: one audit row for one landing, whatever is repeated."""
    if not review_id:
        return "trash"
    review = await s.database.read(reviews.review, review_id)
    if commit := outcome.get("commit"):
        await s.database.write(reviews.landed, review_id, commit)
        fault("mid:record")
        await s.database.write(
            audit.record,
            key=f"{review_id}/merged",
            what="merged",
            actor=review.by,
            at=s.clock(),
            run=run_id,
            commit=commit,
            tree=review.result_tree,
            target=review.target,
            tip=review.tip,
            snapshot=review.snapshot,
        )
        merged = Merged(review_id, commit, review.target)
        await s.broker.record(run_id, f"merged/{review_id}", merged)
        await s.move(
            run_id, RunState.MERGED, key=review_id, reason=f"{commit[:12]} on {review.target}"
        )
        await close_race(s, (await s.task_and_run(run_id))[0])
        return "merged"
    await _refused(s, run_id, review_id, outcome)
    return "refused"


async def _refused(
    s: Services, run_id: RunId, review_id: ReviewId, outcome: dict[str, str]
) -> None:
    """Back to the review, with the way out; an approval of what can no longer be is withdrawn."""
    why = outcome["refused"]
    key = f"{review_id}/refused-{outcome['at']}"
    await s.broker.record(run_id, key, Note(why, "warning"))
    _task, run = await s.task_and_run(run_id)
    if run.state == RunState.MERGING:
        if outcome.get("void"):
            await s.database.write(reviews.withdraw, review_id)
        await s.move(run_id, RunState.IN_REVIEW, key=key, reason=why)
    with contextlib.suppress(*TROUBLE):  # Whoever looks at the review next looks again.
        await refreshed(s, run_id)


async def _forget(s: Services, run: Run, repo: Repository) -> None:
    """What has landed need not be kept twice; what a person added in the worktree stays in the trash."""
    if (await s.database.read(reviews.newest_review, run.id)).left_out:
        words = f"what was left out is kept: `git show {refs.trash(run.id)}`"
        await s.broker.record(run.id, "kept", Note(words))
        return
    if not await trash.forget_landed(repo, run.id, run.snapshot):
        words = f"your own work in {run.worktree} is kept: `git show {refs.trash(run.id)}`"
        await s.broker.record(run.id, "kept", Note(words, "warning"))


async def clean_up(s: Services, run_id: RunId, *, unsaved: bool = False) -> str:
    """After a landing or into the trash: nothing of the run is left running, lying about, or able to spend.

    A sandbox that holds what could not be saved stays, unless a person said `unsaved`.
    """
    async with s.live.putting_away(run_id):
        return await _clean_up(s, run_id, unsaved=unsaved)


async def _clean_up(s: Services, run_id: RunId, *, unsaved: bool) -> str:
    task, run = await s.task_and_run(run_id)
    if run.state not in (RunState.MERGED, RunState.DISCARDED):
        return "kept"
    try:
        await _clear(s, task, run, unsaved=unsaved)
    except TROUBLE as error:
        # Not said again and again: a slot of the queue would be busy with it while others wait.
        why = f"something of it is left, which the next start of swarm removes: {told(error)}"
        await s.broker.record(run_id, f"left/{s.clock()}", Note(why, "warning"))
        return "left"
    if elsewhere(s, run) and not s.away(task):
        await s.database.write(_clear_there, s, run)
    await s.broker.record(run_id, f"clean/{run.state}/{run.ended}", Note("cleaned up"))
    return "clean"


def _clear_there(c: sa.Connection, s: Services, run: Run) -> None:
    """Have the host that kept the run remove what it has of it."""
    s.engine.enqueue(c, FINISH, tidy_id(run.id, run.host), run.id, "", queue=desk_queue(run.host))


async def _tear_down(s: Services, task: Task, run: Run) -> None:
    if not task.outfit.teardown or run.id not in await s.driver(run.sandbox).names(s.owner):
        return
    at = await s.ground(run.id)
    await tear_down(s, at, await open_sandbox(s, run, at.repo))


async def _save_tree(s: Services, run: Run) -> str:
    """Take a last snapshot of what goes into the trash; what of it could not be saved, in words.

    Written down once done: a tree of which a killed removal left half is not looked at again.
    """
    worked = await s.database.read(turns.turns_of, run.id)
    if run.state != RunState.DISCARDED or not worked:
        return ""
    if await s.database.read(tasks.column, run.id, "saved"):
        return ""
    if run.id not in await s.driver(run.sandbox).names(s.owner):
        return ""
    try:
        lost = (await take_snapshot(s, run.id)).left_out
    except TROUBLE as error:
        return told(error)
    if lost:
        return f"no snapshot can hold {', '.join(lost[:3])}" + (" and more" if lost[3:] else "")
    await s.database.write(tasks.update, run.id, saved="yes")
    return ""


async def _keep_sandbox(s: Services, run: Run, why: str) -> None:
    """Bring it to rest instead of removing it, and say how it goes."""
    await rest(s, run)
    words = f"its sandbox is kept: {why}; `swarm sweep --unsaved {run.id}` removes it all the same"
    await s.broker.record(run.id, f"unsaved/{why}", Note(words, "warning"))


async def _clear(s: Services, task: Task, run: Run, *, unsaved: bool) -> None:
    run_id = run.id
    await s.database.write(revoke, run_id, s.clock())
    await close_gateway(s, run_id)
    if (why := await _save_tree(s, run)) and not unsaved:
        await _keep_sandbox(s, run, why)
    else:
        await _tear_down(s, task, run)
        await remove_sandboxes(s, run_id, s.driver(run.sandbox))
    # What the agent remembered was in its sandbox: should it be restored, it starts afresh.
    await s.database.write(tasks.update, run_id, conversation="", outfitted="", port=0)
    await s.egress.close(run_id)
    shutil.rmtree(s.places.sockets(run_id), ignore_errors=True)
    fault("mid:clean_up")
    if run.branch:
        repo, hub = await s.repository(task)
        tree.drop_exports(hub, run_id)
        await trash.remove_worktree(repo, hub, worktree_of(run))
        await repository.unkeep(repo, run_id)
        await history.forget(repo, hub, run_id)
        if run.state == RunState.MERGED:
            await _forget(s, run, repo)
            await forget(s, task, run, hub)
