"""Letting a snapshot in: checked in quarantine, judged, and only then a part of the hub."""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import msgspec

from app.domain.base import Value
from app.domain.ids import RunId
from app.domain.policy import SHIPPED, ChangePolicy
from app.domain.review import FileChange, Finding
from app.repo import alternates, changes, paths, refs
from app.repo.errors import SnapshotRefused, TooLarge
from app.repo.git import Git, checked_id
from app.repo.hub import Hub
from app.repo.locks import held
from app.repo.process import MIB, Bounds
from app.repo.scribe import LARGEST_PACK, Pack
from app.repo.transfer import contains

MOST_PATHS: Final = 5_000
_INDEX: Final = Bounds(seconds=120.0, memory=4096 * MIB, file_size=512 * MIB)
_NAME: Final = "swarm"
_EMAIL: Final = "snapshot@swarm.invalid"


class Snapshot(Value, frozen=True, kw_only=True):
    """A vetted commit of what the agent's tree holds."""

    commit: str
    """The base itself while nothing has changed."""
    tree: str
    base: str
    files: tuple[FileChange, ...] = ()
    insertions: int = 0
    deletions: int = 0
    findings: tuple[Finding, ...] = ()
    left_out: tuple[str, ...] = ()
    """In the agent's tree, not in the snapshot: too large, unreadable, or no ordinary file."""
    ignored: int = 0
    """Files and directories that the tree's own ignore rules keep out."""

    @property
    def blocked(self) -> bool:
        """Whether it holds what nobody may approve; such a snapshot is never published."""
        return any(finding.severity == "block" for finding in self.findings)


async def ingest(
    hub: Hub,
    pack: Pack,
    *,
    run: RunId,
    base: str,
    max_paths: int = MOST_PATHS,
    policy: ChangePolicy = SHIPPED,
) -> Snapshot:
    """Let the pack into the hub and commit its tree. The same tree again is the same commit again."""
    async with held(hub.locks, f"ingest-{refs.checked_run(run)}"):
        known = await _known(hub, run, base)
        comparison = changes.UNCHANGED
        if pack.tree != known.base.tree:
            async with _quarantine(hub, run) as (incoming, git):
                await _unpack(git, pack)
                comparison = await _judge(git, pack, base, max_paths, policy)
                _move(incoming, hub.objects)
        snapshot = Snapshot(
            commit=base,
            tree=pack.tree,
            base=base,
            files=comparison.files,
            insertions=comparison.insertions,
            deletions=comparison.deletions,
            findings=comparison.findings + paths.left_out(pack.left_out),
            left_out=pack.left_out,
            ignored=pack.ignored,
        )
        commit = await _commit(hub, run, snapshot, known)
        return msgspec.structs.replace(snapshot, commit=commit)


@contextlib.asynccontextmanager
async def _quarantine(hub: Hub, run: RunId) -> AsyncIterator[tuple[Path, Git]]:
    """A private object directory on top of the hub's. `fetch` has none, so this is done by hand."""
    incoming = hub.scratch / f"incoming-{run}"
    shutil.rmtree(incoming, ignore_errors=True)
    (incoming / "pack").mkdir(parents=True, mode=0o700)
    env = {
        "GIT_OBJECT_DIRECTORY": os.fspath(incoming),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": alternates.as_variable([os.fspath(hub.objects)]),
    }
    try:
        yield incoming, msgspec.structs.replace(hub.git(), env=env)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


async def _unpack(git: Git, pack: Pack) -> None:
    size = f"--max-input-size={LARGEST_PACK}"
    index = ("index-pack", "--stdin", "--fix-thin", "--strict", size)
    done = await git.ask(*index, stdin=pack.data, bounds=_INDEX)
    if done.code != 0:
        said = "; ".join(done.stderr.splitlines()[-3:]) or f"exit code {done.code}"
        raise SnapshotRefused(
            f"git does not accept the snapshot: {said}",
            hint="Look at what the agent made with `swarm show`; nothing of it was let in.",
        )
    kind = await git.ask("cat-file", "-t", checked_id(pack.tree))
    if kind.stdout.strip() != b"tree":
        raise SnapshotRefused(f"the snapshot does not hold the tree {pack.tree} it names")


async def _judge(
    git: Git, pack: Pack, base: str, max_paths: int, policy: ChangePolicy
) -> changes.Comparison:
    try:
        return await changes.compare(git, base, pack.tree, max_paths=max_paths, policy=policy)
    except TooLarge as error:
        raise SnapshotRefused(error.message, hint=error.hint) from error


def _move(incoming: Path, objects: Path) -> None:
    """Make the pack part of the hub. The index comes last: without it git does not see the pack."""
    (objects / "pack").mkdir(exist_ok=True)
    files = sorted((incoming / "pack").iterdir(), key=lambda file: file.suffix == ".idx")
    for file in files:
        file.replace(objects / "pack" / file.name)


class _Commit(msgspec.Struct, frozen=True):
    """A commit of the hub and its tree; both empty where there is none."""

    id: str
    tree: str


class _Known(msgspec.Struct, frozen=True):
    """What the hub has of a run."""

    newest: _Commit
    clean: _Commit
    base: _Commit


async def _known(hub: Hub, run: RunId, base: str) -> _Known:
    names = (refs.snapshot(run), refs.clean(run), checked_id(base))
    asked = "".join(f"{name}^{{commit}}\n{name}^{{tree}}\n" for name in names).encode()
    said = await hub.git().run("cat-file", "--batch-check=%(objectname)", stdin=asked)
    ids = ["" if each.endswith(" missing") else each for each in said.decode().splitlines()]
    return _Known(*(_Commit(*pair) for pair in zip(ids[::2], ids[1::2], strict=True)))


async def _commit(hub: Hub, run: RunId, snapshot: Snapshot, known: _Known) -> str:
    """The commit of that tree: the one there is, or a new one on top of the newest clean snapshot."""
    commit = _existing(snapshot, known)
    if not commit:
        commit = await _write(hub, snapshot.tree, known.clean.id or snapshot.base, run)
    if commit != snapshot.base:
        await _remember(hub, run, commit, before=known.newest.id, blocked=snapshot.blocked)
    return commit


def _existing(snapshot: Snapshot, known: _Known) -> str:
    for commit in (known.newest, known.clean):
        if commit.id and commit.tree == snapshot.tree:
            return commit.id
    untouched = not (known.newest.id or known.clean.id) and known.base.tree == snapshot.tree
    return snapshot.base if untouched else ""


async def _write(hub: Hub, tree: str, parent: str, run: RunId) -> str:
    """Name and dates are fixed, so that writing it again gives the same id."""
    date = await hub.git().line("show", "--no-patch", "--format=%ct", checked_id(parent))
    env = {f"GIT_{role}_NAME": _NAME for role in ("AUTHOR", "COMMITTER")}
    env |= {f"GIT_{role}_EMAIL": _EMAIL for role in ("AUTHOR", "COMMITTER")}
    env |= {f"GIT_{role}_DATE": f"@{date} +0000" for role in ("AUTHOR", "COMMITTER")}
    git = msgspec.structs.replace(hub.git(), env=env)
    message = f"Snapshot of run {run}\n".encode()
    return await git.line("commit-tree", checked_id(tree), "-p", parent, "-F", "-", stdin=message)


async def _remember(hub: Hub, run: RunId, commit: str, *, before: str, blocked: bool) -> None:
    updates = [f"update {refs.snapshot(run)} {commit}\n"]
    if not blocked:
        updates.append(f"update {refs.clean(run)} {commit}\n")
    if before and before != commit and not await contains(hub.git(), commit, before):
        # Nothing newer builds on it, as on one that held what may not leave the sandbox.
        updates.append(f"update {refs.kept(run, before)} {before}\n")
    await hub.git().run("update-ref", "--stdin", stdin="".join(updates).encode())


async def adopt(hub: Hub, run: RunId, commit: str) -> None:
    """From now on the run's newest snapshot is this commit of the hub's, which the next one builds on."""
    before = await newest(hub, run)
    await _remember(hub, run, checked_id(commit), before=before, blocked=True)


async def newest(hub: Hub, run: RunId) -> str:
    """The commit of the run's newest snapshot; empty before the first."""
    found = await hub.git().ask("rev-parse", "--verify", "--quiet", refs.snapshot(run))
    return found.stdout.decode().strip() if found.code == 0 else ""


async def forget(hub: Hub, run: RunId) -> None:
    """Let go of the run's snapshots in the hub. Only once they are landed, or purged from the trash."""
    deleted = "".join(f"delete {ref}\n" for ref in (refs.snapshot(run), refs.clean(run)))
    await hub.git().run("update-ref", "--stdin", stdin=deleted.encode())
