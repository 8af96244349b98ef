"""From a queued run to one whose agent can start: base, branch, worktree, private repository, sandbox."""

from pathlib import Path
from typing import Final

import msgspec
import sqlalchemy as sa

from app.domain import bundle
from app.domain.events import Note
from app.domain.ids import RunId
from app.domain.run import ACTIVE, Run, RunState
from app.domain.task import Task
from app.repo import history, names, repository, scribe, tree, worktrees
from app.repo.repository import Repository
from app.repo.transfer import has
from app.store import bundles, reviews, tasks, tells, turns
from app.store.hosts import HOST_LOST
from app.supervisor import homes, strays
from app.supervisor.decisions import tell_decision
from app.supervisor.faults import fault
from app.supervisor.fleet import lost_key
from app.supervisor.landing import worktree_of
from app.supervisor.meanwhile import meanwhile
from app.supervisor.outfitting import set_up
from app.supervisor.places import place_for
from app.supervisor.sandbox import history_mounts, open_sandbox, rest, scribe_of
from app.supervisor.services import Ground, Services
from app.supervisor.trouble import fails_the_run
from sandboxes.base import Sandbox
from sandboxes.errors import SandboxFailed


async def take(s: Services, run: RunId) -> str:
    """Name the host that will keep the run to its end, once there is a place for it."""
    await place_for(s, run)
    return s.engine.host


@fails_the_run(0)
async def prepare(s: Services, run: RunId, round_: int) -> int:
    """The number of the turn to start with; 0 when the run is not to start."""
    task, found = await s.task_and_run(run)
    wish = await s.database.read(tasks.column, run, "wish")
    if wish or found.round != round_ or found.state not in ACTIVE:
        return 0  # Stopped while it waited for its turn, and perhaps sent to work again since.
    for looked_at in (await s.database.read(reviews.reviews_of, run))[-1:]:
        await tell_decision(s, looked_at)
    await _tell_lost(s, run, round_)
    if found.state == RunState.QUEUED:
        await s.move(run, RunState.PREPARING, key=f"round-{round_}")
    await s.database.write(tasks.lease_ports, run)
    await s.live.ramp.enter(run)
    try:
        await _lay_out(s, task, found)
    finally:
        s.live.ramp.leave(run)
    limit = s.configuration.settings.routing.bundle_bytes
    return await s.database.write(_first_turn, task, run, round_, s.clock(), limit)


async def _tell_lost(s: Services, run: RunId, round_: int) -> None:
    """Whoever took the run over says so, and may have died before: then it is said here."""
    for turn in (await s.database.read(turns.turns_of, run))[-1:]:
        if turn.exit_reason == HOST_LOST and turn.round < round_:
            words = f"{turn.error}; it goes on elsewhere from its last snapshot"
            await s.broker.record(run, lost_key(round_), Note(words, "warning"))


async def _lay_out(s: Services, task: Task, run: Run) -> None:
    repo, hub = await s.repository(task)
    base = await homes.base_of(s, repo, task, run)
    await repository.keep(repo, run.id, base)
    branch = run.branch or await names.free_branch_name(repo, task.goal, run.id)
    worktree = _place(s, repo, run, branch)
    known = {} if s.away(task) else {"worktree": str(worktree)}
    await s.database.write(tasks.update, run.id, base=base, branch=branch, **known)
    fault("mid:prepare")
    at = await s.ground(run.id)
    if run.base:
        # What could not be stopped when the run came to rest would work beside its successor.
        await rest(s, at.run)
    async with meanwhile(worktrees.ensure_worktree(repo, hub, worktree_of(at.run), base)):
        await strays.go_on(s, at)
        await _choose_history(s, at)
        sandbox = await open_sandbox(s, at.run, repo)
        # Before this run had a base, nothing can have run in its tree.
        await _lay_tree(s, sandbox, at, untouched=not run.base)
    await set_up(s, at, sandbox)


def _place(s: Services, repo: Repository, run: Run, branch: str) -> Path:
    """Where the run's worktree is or shall be; one that is there stays, whatever is renamed or set anew."""
    if run.worktree and Path(run.worktree, ".git").exists():
        return Path(run.worktree)
    return s.worktrees / names.slug(repo.name) / branch.replace("/", "-").removeprefix("swarm-")


async def _choose_history(s: Services, at: Ground) -> None:
    """What the agent can read of the repository, said in the run's story."""
    wanted = s.configuration.settings.sandbox.history
    mirrored = await history.choose(at.repo, at.hub, at.run.id, at.run.base, wanted)
    behind = f"the agent can read the history behind {at.run.base[:12]}"
    words = f"{behind}, and nothing else of the repository" if mirrored else f"{behind}, {_ALL}"
    await s.broker.record(at.run.id, "history", Note(words))


_ALL: Final = (
    "and every other object of the repository: other branches, stashes, what was amended away "
    "(`sandbox: {history: mirror}` in your config.yaml makes a copy without them)"
)


async def _lay_tree(s: Services, sandbox: Sandbox, at: Ground, *, untouched: bool) -> None:
    """Make the private repository in the sandbox's tree, and the scribe's beside it.

    A tree an agent has worked in is left as it is; an empty one, as after a restore, gets the last snapshot.
    """
    run, repo = at.run, at.repo
    seen = tree.targets(history_mounts(s, run, repo))
    commit = run.snapshot if run.snapshot and await has(repo.git(), run.snapshot) else run.base
    if commit != run.base:
        await history.add_own(at.hub, run.id, commit, run.base)
    wanted = tree.layout(
        repo, tree=sandbox.places.tree, commit=commit, branch=run.branch, objects=seen
    )
    script, beside = tree.prepare_script(wanted), scribe_of(s, run, repo, sandbox)
    if untouched:
        script = scribe.seeded(script, beside)
    done = await sandbox.prepare(script, scratch=untouched)
    used = bool(await s.database.read(turns.turns_of, run.id))
    if done.code == tree.TREE_IN_USE and used:
        return
    if done.code != 0:
        raise SandboxFailed(
            f"the files of {commit[:12]} could not be laid down in the sandbox: "
            f"{done.stderr.strip()[-300:] or f'exit code {done.code}'}"
        )
    if not untouched:
        await scribe.seed(sandbox, beside)


def _first_turn(
    c: sa.Connection, task: Task, run: RunId, round_: int, now: float, limit: int
) -> int:
    """The round's first turn, made once however often this is said."""
    known = turns.turns_of(c, run)
    if known and known[-1].round == round_:
        return known[-1].number
    number = len(known) + 1
    resumes = tasks.run(c, run).conversation
    fresh = turns.Turn(run=run, number=number, round=round_, prompt="", resumes=resumes, began=now)
    if by_hand := tasks.column(c, run, "takeover"):
        # What was said to the agent waits until it works again.
        turns.add(c, msgspec.structs.replace(fresh, by_hand=by_hand))
        tasks.update(c, run, takeover="")
        return number
    given = bundles.parts_of(c, run) if number == 1 else ()
    prompt = _going_on(c, run, known[-1]) if known else bundle.prompt(task.goal, given, limit)
    if said := tells.take_all(c, run, now):
        prompt = f"{prompt}\n\n{said}"
    turns.add(c, msgspec.structs.replace(fresh, prompt=prompt))
    reviews.mark_sent(c, run)
    return number


def _going_on(c: sa.Connection, run: RunId, last: turns.Turn) -> str:
    """The prompt with which a person sends a run back to work: the review's words, or just to go on."""
    looked_at = reviews.reviews_of(c, run)
    said = reviews.comments_of(c, run, unsent=True)
    lines = [f"- {comment.where}: {comment.text}" for comment in said]
    note = looked_at[-1].note if looked_at and looked_at[-1].verdict == "changes" else ""
    if note or lines:
        return "\n".join(
            ["Your change was reviewed. Please mend it:", *filter(None, [note]), *lines]
        )
    task = f"\n\nThe task was: {tasks.task(c, tasks.run(c, run).task).goal}"
    why = f" It stopped because: {last.error}." if last.error else ""
    return f"Go on with the task where it stopped.{why} Look at the files first: they are as you left them.{task}"
