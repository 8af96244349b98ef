"""A repository that was renamed or moved is followed: known again by the refs its own runs have left in it."""

import logging
from pathlib import Path

import sqlalchemy as sa

from app.domain.ids import RunId
from app.repo import hub, refs, worktrees
from app.repo.repository import Repository, open_repository
from app.store import audit, tasks
from app.supervisor.services import Services
from app.supervisor.trouble import TROUBLE

_log = logging.getLogger(__name__)


async def follow(s: Services, root: str) -> None:
    """Give the tasks of a repository that is gone from where it was to the one at `root`, if it is the same.

    Safe to repeat, and cheap when nothing is missing. What cannot be followed stays as it is.
    """
    for old in await s.database.read(tasks.repositories):
        asked = (old, root)
        if old == root or asked in s.live.strangers or Path(old).is_dir():
            continue
        try:
            followed = await _follow(s, Path(old), Path(root))
        except TROUBLE as error:
            _log.warning("%s is not taken for what was at %s: %s", root, old, error)
            followed = False
        if not followed:
            s.live.strangers.add(asked)


async def _follow(s: Services, old: Path, root: Path) -> bool:
    repo = await open_repository(root)
    known = await s.database.read(tasks.runs_at, str(old))
    mine = set(known) & await _left_in(repo)
    if not mine or not hub.move_hub(repo, s.places.hubs, old):
        return False
    await worktrees.reconnect(repo)
    await s.database.write(_write_down, str(old), str(repo.root), s.clock())
    return True


async def _left_in(repo: Repository) -> set[RunId]:
    """The runs of which anything is kept in that repository."""
    listed = await repo.git().run("for-each-ref", "--format=%(refname)", refs.OURS)
    return {RunId(name.split("/")[3]) for name in listed.decode().split()}


def _write_down(c: sa.Connection, old: str, new: str, at: float) -> None:
    tasks.rehouse(c, old, new)
    audit.record(
        c,
        key=f"moved/{old}/{new}/{at}",
        what="repository followed",
        actor="swarm",
        at=at,
        detail=f"{old} is {new} now",
    )
