"""The run's branch and worktree in the user's repository: real ones, made once, never taken from anyone.

What lies in them is vetted but not reviewed, so no hook, filter or symbolic link of theirs works on the host:
swarm's own git there obeys no configuration but its own.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from app.domain.base import Value
from app.domain.errors import RepoError
from app.domain.ids import RunId
from app.repo import refs
from app.repo.checkouts import Checkout, checkout_of, checkouts, filters_off
from app.repo.git import Git, checked_id, environment
from app.repo.hub import Hub
from app.repo.locks import held
from app.repo.process import MIB, SLOW, Bounds, finish
from app.repo.repository import Repository, tip_of

LOCK: Final = "worktrees"
"""`git worktree add` is not safe beside itself in one repository."""
_LIST: Final = Bounds(seconds=300.0, output=256 * MIB)


class Worktree(Value, frozen=True, kw_only=True):
    """The checkout and branch of a run, as the user sees them."""

    run: RunId
    branch: str
    path: str


async def ensure_worktree(repo: Repository, hub: Hub, worktree: Worktree, commit: str) -> None:
    """Make the branch at `commit` and the worktree on it, unless they are there. Nothing is overwritten."""
    async with held(hub.locks, LOCK):
        await ensure_branch(repo, worktree, commit)
        await lay_out(repo, worktree)


async def ensure_branch(repo: Repository, worktree: Worktree, commit: str) -> None:
    """The run's branch. That it is ours is written down first, so a branch without that is somebody else's."""
    mine = await published(repo, worktree.run)
    tip = await tip_of(repo, worktree.branch)
    if tip and not mine:
        raise RepoError(
            f"{repo.name} has a branch {worktree.branch!r} already, and swarm did not make it",
            hint=f"Rename it: `git branch -m {worktree.branch} NEW-NAME`.",
        )
    if not mine:
        await repo.git().run("update-ref", refs.published(worktree.run), checked_id(commit))
    if not tip:
        name = refs.branch(worktree.branch)
        await repo.git().run("update-ref", "-m", "swarm: made", name, mine or commit)


async def published(repo: Repository, run: RunId) -> str:
    """The last commit swarm put on the run's branch; empty when it never made one."""
    found = await repo.git().ask("rev-parse", "--verify", "--quiet", refs.published(run))
    return found.stdout.decode().strip() if found.code == 0 else ""


async def lay_out(repo: Repository, worktree: Worktree) -> None:
    """The files of the run's branch, unless a person has them elsewhere. The caller holds the lock."""
    path = Path(worktree.path)
    await _clear_half_made(repo, path)
    if await at(repo, path) or await checkout_of(repo, worktree.branch):
        return
    await drop_record(repo, path)
    _refuse_foreign(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    git = msgspec.structs.replace(repo.git(), config=await no_filters(repo))
    await git.run("worktree", "add", "--quiet", os.fspath(path), worktree.branch, bounds=SLOW)
    made = await at(repo, path)
    if made is None:
        raise RepoError(f"git made no worktree in {path} and does not say why")
    await settle_links(await sealed(repo, made))


async def at(repo: Repository, path: Path) -> Checkout | None:
    """The checkout in that directory, if it is one of this repository."""
    wanted = path.resolve()
    return next((one for one in await checkouts(repo) if one.path.resolve() == wanted), None)


async def drop_record(repo: Repository, path: Path) -> None:
    """Let git forget a worktree whose directory somebody removed."""
    if path.exists() or _record(repo, path) is None:
        return
    await repo.git().run("worktree", "remove", os.fspath(path))


async def reconnect(repo: Repository) -> None:
    """After the repository was moved: let its worktrees, which stayed where they are, find it again."""
    await repo.git().ask("worktree", "repair", bounds=SLOW)


def _record(repo: Repository, path: Path) -> Path | None:
    for own in (repo.git_dir / "worktrees").glob("*"):
        link = own / "gitdir"
        if link.is_file():
            there = Path(os.fsdecode(link.read_bytes()).rstrip("\n")).parent
            if (own / there).resolve() == path.resolve():
                return own
    return None


async def _clear_half_made(repo: Repository, path: Path) -> None:
    """Remove what a killed `git worktree add` left: it is marked so until its last file is written."""
    own = _record(repo, path)
    if own is None or not (own / "locked").is_file():
        return
    if (own / "locked").read_text().strip() == "initializing":
        places = [os.fspath(place) for place in (path, own)]
        await finish(["rm", "-rf", "--", *places], SLOW, env=environment(home=False))


def _refuse_foreign(path: Path) -> None:
    if os.path.lexists(path) and not (path.is_dir() and not any(path.iterdir())):
        raise RepoError(
            f"{path} exists already and is not this run's worktree",
            hint="Move it away, or set another place for worktrees in the configuration.",
        )


async def sealed(repo: Repository, checkout: Checkout) -> Git:
    """Git in a worktree of unreviewed files: it obeys neither the user's configuration nor any filter."""
    return Git(dir=checkout.git_dir, work_tree=checkout.path, config=await no_filters(repo))


async def no_filters(repo: Repository) -> dict[str, str]:
    """Settings that switch off every filter of the repository: a relative one would run an agent's file."""
    return await filters_off(repo.git())


async def settle_links(git: Git) -> None:
    """Keep symbolic links, laid out as plain files, from showing as changes to the user."""
    listed = await git.run("ls-files", "--stage", "-z", bounds=_LIST)
    entries = (entry.partition(b"\t") for entry in listed.split(b"\0")[:-1])
    links = b"".join(path + b"\0" for about, _, path in entries if about.startswith(b"120000"))
    if links:
        await git.run("update-index", "--assume-unchanged", "-z", "--stdin", stdin=links)
