"""What a person did in a run's worktree, on its way into the agent's tree: committed, joined, packed.

Nothing of a person's is ever overwritten: edits become a commit of theirs on the run's branch, and the agent's
newest snapshot is merged with it. Where both changed the same lines nobody decides but the person.
"""

import os
import shutil
from pathlib import Path
from shlex import quote as sh
from typing import Final

import msgspec

from app.domain.base import Value
from app.domain.ids import RunId
from app.repo import refs
from app.repo.checkouts import Checkout, busy_with
from app.repo.errors import Conflicts, TargetDirty
from app.repo.filenames import shown
from app.repo.git import Git, checked_id
from app.repo.hub import Hub
from app.repo.locks import held
from app.repo.merges import merge_commits
from app.repo.private import looks_private
from app.repo.process import MIB, SLOW, Bounds
from app.repo.repository import Repository, identity, tip_of
from app.repo.transfer import carry, contains
from app.repo.tree import CLEAN_GIT
from app.repo.worktrees import LOCK, Worktree, at, sealed

_CARRY: Final = Bounds(seconds=300.0, output=1024 * MIB)
_UNFINISHED: Final = (
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "rebase-merge",
    "rebase-apply",
)
_MOST_NAMED: Final = 5


class Handover(Value, frozen=True, kw_only=True):
    """The agent's snapshot and a person's work, as one commit."""

    commit: str
    snapshot: str
    """What the agent's tree holds now."""
    by: tuple[str, ...]
    """Names of the people whose commits are in it."""
    files: tuple[str, ...]
    """What changes in the agent's tree."""


async def own_work(
    repo: Repository, hub: Hub, worktree: Worktree, snapshot: str, *, now: float
) -> str:
    """The tip of the run's branch when there is more on it than the agent's; empty when not.

    Edits nobody committed are committed first, in the user's name. Files that look private are left where they
    are. Raises `TargetDirty` in the middle of a merge or rebase of the person's.
    """
    async with held(hub.locks, LOCK):
        where = await at(repo, Path(worktree.path))
        _refuse_unfinished(repo, worktree, where)
        if where is not None and where.branch == worktree.branch:
            await _commit_edits(repo, where, now)
        tip = await tip_of(repo, worktree.branch)
        if tip is None or await contains(hub.git(), snapshot, tip):
            return ""
        return tip


def _refuse_unfinished(repo: Repository, worktree: Worktree, where: Checkout | None) -> None:
    busy = busy_with(repo, worktree.branch)
    started = where is not None and any((where.git_dir / sign).exists() for sign in _UNFINISHED)
    if busy or started:
        raise TargetDirty(
            f"a merge or rebase is unfinished in {worktree.path}",
            hint=f"Finish or abort it there, then `swarm resume {worktree.run}`.",
        )


async def _commit_edits(repo: Repository, where: Checkout, now: float) -> None:
    git = await sealed(repo, where)
    tree, index = await _edits(git)
    if tree == await git.line("rev-parse", "--verify", f"{checked_id(where.head)}^{{tree}}"):
        index.unlink()
        return
    name, address = await identity(repo)
    env = {
        f"GIT_{role}_{part}": text
        for role in ("AUTHOR", "COMMITTER")
        for part, text in (("NAME", name), ("EMAIL", address), ("DATE", f"@{int(now)} +0000"))
    }
    author = msgspec.structs.replace(git, env=env)
    message = f"Edits in the worktree of {where.branch}\n".encode()
    commit = await author.line("commit-tree", tree, "-p", where.head, "-F", "-", stdin=message)
    # The index first: cut off in between, the edits are staged, which is what they nearly are.
    index.replace(git.dir / "index")
    await git.run("update-ref", "-m", "swarm: a person's edits", "HEAD", commit, where.head)


async def _edits(git: Git) -> tuple[str, Path]:
    """The tree of all a person may want the agent to see, and a spare index that describes it."""
    index = git.dir / "index.swarm-edits"
    (git.dir / "index.swarm-edits.lock").unlink(missing_ok=True)
    shutil.copy2(git.dir / "index", index)
    spare = msgspec.structs.replace(git, env={"GIT_INDEX_FILE": os.fspath(index)})
    await spare.run("add", "--update", bounds=SLOW)
    listed = await spare.run("ls-files", "--others", "--exclude-standard", "-z", bounds=SLOW)
    new = [p for p in listed.split(b"\0") if p and not p.endswith(b"/") and not looks_private(p)]
    if new:
        read = ("--pathspec-from-file=-", "--pathspec-file-nul")
        await spare.run("add", *read, stdin=b"\0".join(new), bounds=SLOW)
    return await spare.line("write-tree"), index


async def join(
    repo: Repository, hub: Hub, run: RunId, *, base: str, snapshot: str, theirs: str
) -> Handover:
    """The agent's snapshot and a person's commit as one, kept in the hub; said again, the same commit.

    Raises `Conflicts`; what the agent did then lies in the user's repository, to be merged by hand.
    """
    found = await hub.git().ask("merge-base", checked_id(snapshot), checked_id(theirs))
    fork = found.stdout.decode().strip() if found.code == 0 else base
    tree, conflicts = await merge_commits(hub, base=fork, ours=snapshot, theirs=theirs)
    if conflicts:
        await _lay_out_conflict(repo, hub, run, snapshot, theirs, conflicts)
    if await contains(hub.git(), theirs, snapshot):
        commit = theirs  # The person merged the agent's work already.
    else:
        commit = await _merged(hub, tree, snapshot, theirs)
    await _keep(hub, run, commit, base)
    return Handover(
        commit=commit,
        snapshot=snapshot,
        by=await _people(hub, snapshot, theirs),
        files=await _files(hub, snapshot, commit),
    )


async def _lay_out_conflict(
    repo: Repository, hub: Hub, run: RunId, snapshot: str, theirs: str, names: tuple[str, ...]
) -> None:
    await carry(hub, repo, snapshot, known=[theirs])
    ref = refs.agents(run)
    await repo.git().run("update-ref", ref, snapshot)
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    raise Conflicts(
        f"you and the agent both changed {', '.join(names[:_MOST_NAMED])}{more}",
        hint=f"In the run's worktree: `git merge {ref}`, settle it and commit; "
        f"then `swarm resume {run}`. Both sides are kept.",
    )


async def _merged(hub: Hub, tree: str, snapshot: str, theirs: str) -> str:
    """Name and dates are fixed, so that writing it again gives the same id."""
    date = await hub.git().line("show", "--no-patch", "--format=%ct", checked_id(theirs))
    env = {
        f"GIT_{role}_{part}": text
        for role in ("AUTHOR", "COMMITTER")
        for part, text in (
            ("NAME", "swarm"),
            ("EMAIL", "snapshot@swarm.invalid"),
            ("DATE", f"@{date} +0000"),
        )
    }
    git = msgspec.structs.replace(hub.git(), env=env)
    parents = ("-p", checked_id(snapshot), "-p", checked_id(theirs))
    message = b"The agent's work and a person's\n"
    return await git.line("commit-tree", checked_id(tree), *parents, "-F", "-", stdin=message)


async def _keep(hub: Hub, run: RunId, commit: str, base: str) -> None:
    """Hold it in the hub with all that is in it: the person's branch may be gone tomorrow."""
    wanted = f"{checked_id(commit)}\n^{checked_id(base)}\n".encode()
    pack = await hub.git().run(
        "pack-objects", "--revs", "--stdout", "-q", stdin=wanted, bounds=_CARRY
    )
    await hub.git().run("index-pack", "--stdin", "--strict", stdin=pack, bounds=_CARRY)
    await hub.git().run("update-ref", refs.joined(run, commit), commit)


async def _people(hub: Hub, snapshot: str, theirs: str) -> tuple[str, ...]:
    walk = ("log", "--no-merges", "--format=%an", "--max-count=200")
    said = await hub.git().run(*walk, f"{checked_id(snapshot)}..{checked_id(theirs)}")
    return tuple(dict.fromkeys(said.decode(errors="replace").splitlines()))


async def _files(hub: Hub, old: str, new: str) -> tuple[str, ...]:
    compare = ("diff-tree", "-r", "-z", "--no-renames", "--name-only")
    out = await hub.git().run(*compare, checked_id(old), checked_id(new), bounds=_CARRY)
    return tuple(shown(name) for name in out.split(b"\0") if name)


async def pack_of(hub: Hub, handover: Handover, *, base: str) -> bytes:
    """What the sandbox lacks of it: the base's objects are mounted there."""
    wanted = f"{checked_id(handover.commit)}\n^{checked_id(base)}\n".encode()
    return await hub.git().run(
        "pack-objects", "--revs", "--stdout", "-q", stdin=wanted, bounds=_CARRY
    )


_APPLY: Final = """\
set -eu
tree={tree}
gd=$tree/.git
{clean_git}
cd "$tree"
g index-pack --stdin < {pack} > /dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -f "$gd/index.lock"
index=$work/index
cp -p "$gd/index" "$index" 2> /dev/null || :
g read-tree --reset {old}
g update-index -q --really-refresh > /dev/null || :
g read-tree -m -u {old} {new}
head=$(g rev-parse --verify --quiet 'HEAD^{{commit}}' || :)
now={new}
if [ -n "$head" ] && ! g merge-base --is-ancestor "$head" {new}; then
  now=$(echo "Bring in what a person did" | g -c user.name=swarm -c user.email=handover@swarm.invalid \\
    commit-tree '{new}^{{tree}}' -p "$head" -p {new})
fi
mv "$index" "$gd/index"
g update-ref -m "swarm: a person's work" HEAD "$now"
"""


def apply_script(handover: Handover, *, tree: str, pack: str) -> str:
    """`sh` that the box itself runs, with no more rights than the agent: commits and files of the handover.

    It refuses, and changes nothing, when a file is not as the snapshot saw it.
    """
    return _APPLY.format(
        tree=sh(tree),
        clean_git=CLEAN_GIT,
        pack=sh(pack),
        old=checked_id(handover.snapshot),
        new=checked_id(handover.commit),
    )
