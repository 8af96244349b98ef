"""Before a turn: what a person did in the run's worktree reaches the agent, as commits and as files."""

from app.domain.events import Note
from app.repo import handover, ingest, publish, scribe
from app.repo.handover import Handover
from app.store import turns
from app.store.turns import Turn
from app.supervisor.landing import worktree_of
from app.supervisor.sandbox import scribe_of
from app.supervisor.services import Ground, Services
from app.supervisor.snapshots import take_snapshot
from sandboxes.base import Sandbox
from sandboxes.errors import SandboxFailed
from sandboxes.spec import Program

_MOST_NAMED = 10


async def bring_in(s: Services, at: Ground, turn: Turn, sandbox: Sandbox) -> Turn:
    """The turn, told of what a person did since the last one; unchanged when that is nothing.

    Raises `Conflicts` when both changed the same lines, and `TargetDirty` while a person is merging: the run
    comes to rest, and nothing of either side is touched.
    """
    run = at.run
    snapshot = await ingest.newest(at.hub, run.id) or run.base
    tip = await handover.own_work(at.repo, at.hub, worktree_of(run), snapshot, now=s.clock())
    if not tip:
        return turn
    joined = await handover.join(
        at.repo, at.hub, run.id, base=run.base, snapshot=snapshot, theirs=tip
    )
    await _apply(s, at, turn, sandbox, joined)
    await ingest.adopt(at.hub, run.id, joined.commit)
    await take_snapshot(s, run.id)
    await publish.forget_conflict(at.repo, run.id)
    sentence = _sentence(joined)
    await s.broker.record(run.id, f"handover/{joined.commit}", Note(sentence))
    told = turn.prompt if sentence in turn.prompt else f"{turn.prompt}\n\n{sentence}"
    return await s.database.write(turns.reword, run.id, turn.number, told)


async def _apply(s: Services, at: Ground, turn: Turn, sandbox: Sandbox, joined: Handover) -> None:
    """Bring commits and files into the tree by a program in the box: nothing trusted writes there."""
    pack = await handover.pack_of(at.hub, joined, base=at.run.base)
    name = f"handover-{turn.number}-{joined.commit[:12]}"
    laid = f"{sandbox.places.launch}/{name}/pack"
    script = handover.apply_script(joined, tree=sandbox.places.tree, pack=laid)
    process = await sandbox.start(
        Program(name=name, argv=("sh", "-c", script), files={"pack": pack})
    )
    exit_ = await process.wait()
    if exit_.code != 0:
        raise SandboxFailed(
            f"what you did in {at.run.worktree} could not be brought to the agent: "
            f"{exit_.stderr.strip()[-300:] or exit_.reason}",
            hint=f"Nothing of it is lost. `swarm resume {at.run.id}` tries again.",
        )
    await scribe.adopt(
        sandbox, scribe_of(s, at.run, at.repo, sandbox), commit=joined.commit, pack=pack
    )


def _sentence(joined: Handover) -> str:
    named = ", ".join(joined.files[:_MOST_NAMED]) or "no file that differs from yours"
    more = f" and {len(joined.files) - _MOST_NAMED} more" if len(joined.files) > _MOST_NAMED else ""
    who = " and ".join(joined.by) or "A person"
    return (
        f"Meanwhile {who} worked on your branch; it is merged into your files and your history, "
        f"and changed: {named}{more}."
    )
