"""Showing a vetted snapshot to the user: branch and worktree move forward, and never over a person's work."""

from pathlib import Path
from typing import Literal

from app.domain.base import Value
from app.domain.ids import RunId
from app.repo import refs
from app.repo.checkouts import (
    Checkout,
    checkout_of,
    forward,
    half_moved,
    in_the_way,
    move_branch,
    uncommitted,
)
from app.repo.filenames import shown
from app.repo.git import Git
from app.repo.hub import Hub
from app.repo.ingest import Snapshot
from app.repo.locks import held
from app.repo.repository import Repository, tip_of
from app.repo.transfer import carry, contains
from app.repo.worktrees import LOCK, Worktree, sealed, settle_links


class Publication(Value, frozen=True, kw_only=True):
    """What the user sees now."""

    state: Literal["current", "blocked", "edited", "diverged", "elsewhere", "gone"]
    """Anything but `current` leaves branch and worktree as they are:
    `blocked` the snapshot holds what nobody may approve; `edited` a person has uncommitted work there;
    `diverged` a person committed there; `elsewhere` the branch is checked out in another place;
    `gone` the branch was deleted."""
    commit: str
    """Where the branch is; empty when it is gone."""
    detail: str = ""
    """In words, for a person; empty when it is current."""


async def publish(
    repo: Repository, hub: Hub, worktree: Worktree, snapshot: Snapshot
) -> Publication:
    """Move the run's branch and worktree to the snapshot, if nothing of a person's stands there."""
    async with held(hub.locks, LOCK):
        tip = await tip_of(repo, worktree.branch)
        if tip is None:
            return _left("gone", "", f"the branch {worktree.branch} was deleted")
        if tip == snapshot.commit or await contains(repo.git(), tip, snapshot.commit):
            return Publication(state="current", commit=tip)
        if snapshot.blocked:
            return _left("blocked", tip, "the snapshot holds what may not leave the sandbox")
        if not await contains(hub.git(), snapshot.commit, tip):
            return _left("diverged", tip, f"somebody committed on {worktree.branch}")
        await carry(hub, repo, snapshot.commit, known=[snapshot.base, tip])
        return await _move(repo, worktree, tip, snapshot.commit)


async def forget_conflict(repo: Repository, run: RunId) -> None:
    """Both sides are joined: what was laid out for a person to merge is needed no longer. Safe to repeat."""
    await repo.git().run("update-ref", "-d", refs.agents(run))


def _left(
    state: Literal["blocked", "edited", "diverged", "elsewhere", "gone"], tip: str, detail: str
) -> Publication:
    return Publication(state=state, commit=tip, detail=detail)


async def _move(repo: Repository, worktree: Worktree, tip: str, commit: str) -> Publication:
    where = await checkout_of(repo, worktree.branch)
    if where is None:
        if not await move_branch(repo, worktree.branch, old=tip, new=commit):
            return _left("diverged", tip, f"somebody moved {worktree.branch}")
    elif where.path.resolve() != Path(worktree.path).resolve():
        return _left("elsewhere", tip, f"{worktree.branch} is checked out in {where.path}")
    elif blocking := await _forward(repo, where, tip, commit):
        return _left("edited", tip, f"uncommitted work in {where.path}: {blocking}")
    await repo.git().run("update-ref", refs.published(worktree.run), commit)
    return Publication(state="current", commit=commit)


async def _forward(repo: Repository, where: Checkout, tip: str, commit: str) -> str:
    """Why the worktree was not moved; empty when it was."""
    git = await sealed(repo, where)
    if not await half_moved(git, tip, commit):
        edited = await _edited(git) or await in_the_way(git, tip, commit)
        if edited:
            return ", ".join(edited[:5])
    done = await forward(git, tip, commit)
    if done.code != 0:
        return done.stderr
    await settle_links(git)
    return ""


async def _edited(git: Git) -> tuple[str, ...]:
    """Tracked files a person changed. Links, laid out as files, are looked at in spite of their mark."""
    refreshed = await git.ask("update-index", "--really-refresh", "-q")
    names = refreshed.stdout.decode(errors="backslashreplace").splitlines()
    marked = [name.removesuffix(": needs update") for name in names]
    return (*(shown(path) for path in await uncommitted(git)), *marked)
