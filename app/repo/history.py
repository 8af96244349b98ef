"""What of the user's history an agent can read: every object there is, or a copy of what its base needs.

The user's own object directory also holds other branches, stashes, and what was amended away. A mirror is an
object directory of swarm's own with the history of one commit and nothing else. Mirrors of one line of history
share their packs by hard links; sandboxes see them read-only.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, TypeAlias

from app.domain.ids import RunId
from app.repo import refs
from app.repo.git import checked_id
from app.repo.hub import Hub
from app.repo.locks import held
from app.repo.process import MIB, SLOW
from app.repo.repository import Repository
from app.repo.transfer import contains
from app.repo.tree import unpack

Wanted: TypeAlias = Literal["auto", "mirror", "shared"]
LARGEST: Final = 300 * MIB
"""Bytes of objects up to which `auto` makes a mirror: a matter of a few seconds."""
_LOCK: Final = "mirror"
_DONE: Final = "done"
_LOOK_AT: Final = 10
_MOST_PACKS: Final = 20
"""A mirror with so many is not built upon: each pack makes every look-up a little slower."""


async def choose(repo: Repository, hub: Hub, run: RunId, base: str, wanted: Wanted) -> bool:
    """Whether the run sees a mirror, which is there afterwards. Decided once in a run's life."""
    place = _of_run(hub, run)
    if not place.is_dir():
        mirrored = wanted == "mirror" or (wanted == "auto" and size(repo) <= LARGEST)
        if mirrored:
            _open_to_all(place / "objects" / "pack")
        place.mkdir(parents=True, exist_ok=True)
    if _mirrored(hub, run):
        await ensure_mirror(repo, hub, base)
    return _mirrored(hub, run)


def seen(repo: Repository, hub: Hub, run: RunId, base: str) -> tuple[Path, ...]:
    """The object directories the run's sandboxes may read."""
    if _mirrored(hub, run):
        return hub.mirrors / checked_id(base), _of_run(hub, run) / "objects"
    return repo.objects


async def add_own(hub: Hub, run: RunId, commit: str, base: str) -> None:
    """Let a mirrored run see a snapshot of its own, as when it is restored from the trash. Safe to repeat."""
    if _mirrored(hub, run):
        await unpack(hub, _of_run(hub, run) / "objects", commit=commit, base=base)


async def forget(repo: Repository, hub: Hub, run: RunId) -> None:
    """Remove what only this run saw; of mirrors that no run needs, the newest stays for the next to build on."""
    shutil.rmtree(_of_run(hub, run), ignore_errors=True)
    listed = await repo.git().line("for-each-ref", "--format=%(objectname)", refs.BASES)
    needed = set(listed.split())
    async with held(hub.locks, _LOCK):
        for mirror in _finished(hub)[1:]:
            if mirror.name not in needed:
                shutil.rmtree(mirror, ignore_errors=True)


def size(repo: Repository) -> int:
    """Bytes of all objects, packed or not."""
    return sum(_sizes(repo))


def _sizes(repo: Repository) -> Iterator[int]:
    for directory in repo.objects:
        for place, _, names in os.walk(directory):
            yield sum(os.stat(f"{place}/{name}").st_size for name in names)  # noqa: PTH116 - many


async def ensure_mirror(repo: Repository, hub: Hub, base: str) -> Path:
    """The object directory with the history of that commit, made when missing."""
    place = hub.mirrors / checked_id(base)
    async with held(hub.locks, _LOCK, patience=SLOW.seconds):
        if (place / _DONE).exists():
            os.utime(place / _DONE)
            return place
        shutil.rmtree(place, ignore_errors=True)
        _open_to_all(place / "pack")
        near = await _nearest(repo, hub, base)
        for file in (near / "pack").iterdir() if near else ():
            (place / "pack" / file.name).hardlink_to(file)
        wanted = f"{base}\n" + (f"^{near.name}\n" if near else "")
        pack = ("pack-objects", "--revs", "-q", os.fspath(place / "pack" / "pack"))
        await repo.git().run(*pack, stdin=wanted.encode(), bounds=SLOW)
        (place / _DONE).touch()
    return place


async def _nearest(repo: Repository, hub: Hub, base: str) -> Path | None:
    """A mirror of a commit behind that one: it holds nothing that the new one must not."""
    for mirror in _finished(hub)[:_LOOK_AT]:
        packs = sum(1 for _ in (mirror / "pack").glob("*.pack"))
        if packs < _MOST_PACKS and await contains(repo.git(), base, mirror.name):
            return mirror
    return None


def _finished(hub: Hub) -> list[Path]:
    """All mirrors, the last used first."""
    marks = sorted(hub.mirrors.glob(f"*/{_DONE}"), key=lambda mark: -mark.stat().st_mtime)
    return [mark.parent for mark in marks]


def _of_run(hub: Hub, run: RunId) -> Path:
    return hub.root / "histories" / refs.checked_run(run)


def _mirrored(hub: Hub, run: RunId) -> bool:
    return (_of_run(hub, run) / "objects").is_dir()


def _open_to_all(place: Path) -> None:
    """A directory that another user may list, as an agent in a container is."""
    place.mkdir(parents=True, exist_ok=True)
    for directory in (place, place.parent):
        directory.chmod(0o755)
