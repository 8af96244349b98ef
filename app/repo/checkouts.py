"""The user's checkouts: which there are, what in them is uncommitted, and moving one without losing any of it."""

import asyncio
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from app.repo import refs
from app.repo.filenames import shown
from app.repo.git import Git, checked_id, failure
from app.repo.process import MIB, SLOW, Bounds, Finished
from app.repo.repository import Repository

_LIST: Final = Bounds(seconds=300.0, output=256 * MIB)
_LARGEST_TO_READ: Final = 64 * MIB
_SHA1: Final = 40
_TRIES: Final = 5
_PAUSE: Final = 0.3
_FORWARD: Final = (
    *("merge", "--ff-only", "--no-autostash", "--no-overwrite-ignore", "--no-stat"),
    "--no-verify-signatures",
)


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """A directory in which files of the repository are laid out."""

    path: Path
    git_dir: Path
    """Its own git directory."""
    branch: str
    """Empty when it is on none."""
    head: str

    def git(self) -> Git:
        """With the user's own configuration: for what the user checked out."""
        return Git(dir=self.git_dir, work_tree=self.path, home=True)


async def checkouts(repo: Repository) -> tuple[Checkout, ...]:
    """All checkouts of the repository whose directory is there."""
    listed = await repo.git().run("worktree", "list", "--porcelain", "-z")
    linked = dict(_linked(repo.git_dir))
    found = []
    for number, record in enumerate(listed.split(b"\0\0")):
        facts = dict(_facts(record))
        path = Path(facts.get("worktree", ""))
        main = number == 0
        if main and repo.checkout_dir == repo.git_dir:
            path = repo.root  # in a submodule git names its git directory here
        git_dir = repo.git_dir if main else linked.get(path)
        if git_dir and "bare" not in facts and path.is_dir():
            branch = facts.get("branch", "").removeprefix("refs/heads/")
            head = facts.get("HEAD", "")
            found.append(Checkout(path=path, git_dir=git_dir, branch=branch, head=head))
    return tuple(found)


def _facts(record: bytes) -> Iterator[tuple[str, str]]:
    for field in record.split(b"\0"):
        key, _, value = field.partition(b" ")
        yield key.decode(errors="replace"), os.fsdecode(value)


def _linked(git_dir: Path) -> Iterator[tuple[Path, Path]]:
    """Path and own git directory of each linked worktree, as the common git directory has it.

    The `.git` file in the worktree could point anywhere by now; this side of the link is the user's.
    """
    for own in sorted((git_dir / "worktrees").glob("*")):
        try:
            link = os.fsdecode((own / "gitdir").read_bytes()).rstrip("\n")
        except OSError:
            continue
        yield Path(os.path.normpath(own / link)).parent, own


async def checkout_of(repo: Repository, branch: str) -> Checkout | None:
    """Where that branch is checked out."""
    return next((one for one in await checkouts(repo) if one.branch == branch), None)


def busy_with(repo: Repository, branch: str) -> Path | None:
    """The checkout in which that branch is being rebased; git lists it as being on no branch."""
    for git_dir in (repo.git_dir, *(repo.git_dir / "worktrees").glob("*")):
        for operation in ("rebase-merge", "rebase-apply"):
            name = git_dir / operation / "head-name"
            if name.is_file() and name.read_text().strip() == refs.branch(branch):
                return git_dir
    return None


async def uncommitted(git: Git) -> dict[bytes, str]:
    """Tracked paths that differ from HEAD, with git's two letters: staged, and not."""
    status = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=no")
    out = await git.run(*status, "--ignore-submodules=all", bounds=_LIST)
    return {entry[3:]: entry[:2].decode() for entry in out.split(b"\0")[:-1]}


async def in_the_way(git: Git, old: str, new: str) -> tuple[str, ...]:
    """Uncommitted work that moving the checkout from `old` to `new` would overwrite."""
    changed = await _between(git, old, new)
    overlap = changed.keys() & (await uncommitted(git)).keys()
    assert git.work_tree is not None
    root = os.fsencode(git.work_tree)
    strange = {
        path
        for path, status in changed.items()
        if status == "A" and os.path.lexists(root + b"/" + path)
    }
    return tuple(shown(path) for path in sorted(overlap | strange))


async def _between(git: Git, old: str, new: str) -> dict[bytes, str]:
    compare = ("diff-tree", "-r", "-z", "--no-renames", "--name-status")
    out = await git.run(*compare, checked_id(old), checked_id(new), bounds=_LIST)
    fields = out.split(b"\0")[:-1]
    return {path: status.decode() for status, path in zip(fields[::2], fields[1::2], strict=True)}


async def half_moved(git: Git, old: str, new: str) -> bool:
    """Whether files and index are at `new` already, as when a move died before its last stroke."""
    changed = await _between(git, old, new)
    index = ("diff-index", "--cached", "--name-only", "-z", checked_id(new))
    unlike = set((await git.run(*index, bounds=_LIST)).split(b"\0"))
    loose = {path for path, status in (await uncommitted(git)).items() if status[1] != " "}
    return bool(changed) and changed.keys().isdisjoint(unlike | loose)


async def forward(git: Git, old: str, new: str) -> Finished:
    """Move a checkout and its branch from `old` to `new`, which lies ahead of it; hooks never run.

    Nothing is touched, and git's refusal given back, when uncommitted work stands in the way.
    """
    if await half_moved(git, old, new):
        return await git.ask("update-ref", "-m", "swarm: finished", "HEAD", new, old)
    done = Finished(1, b"", "")
    for _ in range(_TRIES):
        done = await git.ask(*_FORWARD, "--quiet", checked_id(new), bounds=SLOW)
        if ".lock': File exists" not in done.stderr:
            if done.code != 0:
                await _put_back(git, old, new)
            return done
        await asyncio.sleep(_PAUSE)
    raise failure(done, _FORWARD, git.dir)


async def _put_back(git: Git, old: str, new: str) -> None:
    """Undo what a move left that died half-way, as when a filter fails: git moves the index last.

    Only what git itself did: files that are gone, and files that hold exactly what they were to hold.
    """
    assert git.work_tree is not None
    compare = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev")
    fields = (await git.run(*compare, checked_id(old), checked_id(new), bounds=_LIST)).split(b"\0")
    again = []
    for about, path in zip(fields[:-1:2], fields[1::2], strict=True):
        _, _, _, blob, status = about.decode().split(" ")
        place = git.work_tree / os.fsdecode(path)
        if _is_plain(place, blob):
            place.unlink()
        if status != "A" and not os.path.lexists(place):
            again.append(path + b"\0")
    unfiltered = msgspec.structs.replace(git, config={**git.config, **await filters_off(git)})
    await unfiltered.ask("checkout-index", "--quiet", "-z", "--stdin", stdin=b"".join(again))


def _is_plain(place: Path, blob: str) -> bool:
    """Whether that is a file with the content of that name."""
    if place.is_symlink() or not place.is_file() or place.stat().st_size > _LARGEST_TO_READ:
        return False
    content = place.read_bytes()
    known = hashlib.sha1 if len(blob) == _SHA1 else hashlib.sha256
    return known(b"blob %d\0" % len(content) + content).hexdigest() == blob


async def filters_off(git: Git) -> dict[str, str]:
    """Settings that switch off every filter that git knows of."""
    asked = await git.ask("config", "--name-only", "-z", "--get-regexp", r"^filter\.")
    keys = asked.stdout.decode(errors="surrogateescape").split("\0")
    drivers = {key.rpartition(".")[0] for key in keys if key}
    off = {"clean": "", "smudge": "", "process": "", "required": "false"}
    return {f"{driver}.{name}": value for driver in sorted(drivers) for name, value in off.items()}


async def backward(git: Git, old: str, new: str) -> Finished:
    """Move a checkout and its branch from `old` back to `new`; git refuses, untouched, over uncommitted work."""
    if not await half_moved(git, old, new):
        moved = await git.ask(
            "read-tree", "-m", "-u", checked_id(old), checked_id(new), bounds=SLOW
        )
        if moved.code != 0:
            return moved
    done = await git.ask("update-ref", "-m", "swarm: undone", "HEAD", new, old)
    if done.code != 0:  # Somebody committed meanwhile: the files go with the branch again.
        await git.run("read-tree", "-m", "-u", new, old, bounds=SLOW)
    return done


async def move_branch(repo: Repository, branch: str, *, old: str, new: str) -> bool:
    """Compare-and-swap of a branch that is checked out nowhere; False when it was not at `old`."""
    change = ("update-ref", "-m", "swarm", refs.branch(branch), checked_id(new), checked_id(old))
    done = await repo.git().ask(*change)
    if done.code == 0:
        return True
    if "but expected" in done.stderr or "unable to resolve reference" in done.stderr:
        return False
    raise failure(done, change, repo.git_dir)
