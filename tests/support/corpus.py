"""State directories that released versions left when they were killed, for later versions to finish.

    python -m tests.support.corpus

makes those of this version: one for each point at which it can be killed, all in one archive that is never written
again. Everything in them is as a machine that was switched off has it: nothing of it runs.
"""

import asyncio
import contextlib
import hashlib
import os
import shutil
import sqlite3
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tests.support.home import Home, home_at
from tests.support.invariants import World
from tests.support.kills import Killed, configured, points
from tests.support.leftovers import end_programs
from tests.support.nursery import Nursery, nursery
from tests.support.repos import make_repository

CORPUS: Final = Path(__file__).parents[1] / "data" / "corpus"
_PLACE: Final = "swarm-left-"
"""How every directory of an entry begins. All are equally long: paths in databases are replaced byte by byte."""
_ROOT: Final = "root"
"""Holds, in an archive, the directory in which an entry was made."""


class Dead(Exception):
    """The supervisor was killed, and nobody starts another."""


class Mortal(Killed):
    """A user who does not start another supervisor."""

    def start(self) -> None:
        if self.born is not None and not self.born.lives:
            raise Dead
        super().start()


def versions() -> list[str]:
    """Those that left something."""
    return sorted(file.name.removesuffix(".tar.xz") for file in CORPUS.glob("*.tar.xz"))


def entries(of: str) -> list[str]:
    """The points at which that version was killed."""
    with tarfile.open(_archive(of)) as archive:
        return sorted(name for name in archive.getnames() if "/" not in name)


@contextlib.contextmanager
def place() -> Iterator[Path]:
    """A directory for an entry, gone at the end."""
    # As long as any other, and short: a unix socket's path has at most 107 bytes.
    root = Path(tempfile.mkdtemp(prefix=_PLACE, dir="/tmp"))
    try:
        yield root
    finally:
        shutil.rmtree(root)


def unpack(of: str, to: Path) -> None:
    """All entries of that version."""
    with tarfile.open(_archive(of)) as archive:
        archive.extractall(to, filter="tar")


def settle(entry: Path, root: Path) -> None:
    """Lay an unpacked entry down at its new place."""
    made = (entry / _ROOT).read_bytes()
    shutil.copytree(entry, root, symlinks=True, dirs_exist_ok=True, ignore=_no_pipes)
    renamed = {made: os.fsencode(root), _hub(made): _hub(os.fsencode(root))}
    assert all(len(old) == len(new) for old, new in renamed.items())
    for file in [*root.rglob("*")]:
        if file.is_file() and not file.is_symlink():
            _rewrite(file, renamed)
    for hub in root.glob("state/repositories/*"):
        hub.rename(hub.with_name(_hub(os.fsencode(root)).decode()))


def _hub(root: bytes) -> bytes:
    """What swarm calls its copy of the repository of an entry: its name follows from its place."""
    return hashlib.sha256(root + b"/project/.git").hexdigest()[:16].encode()


def _rewrite(file: Path, renamed: dict[bytes, bytes]) -> None:
    held = new = file.read_bytes()
    for old, now in renamed.items():
        new = new.replace(old, now)
    if new != held:
        mode = file.stat().st_mode
        file.chmod(mode | 0o200)
        file.write_bytes(new)
        file.chmod(mode)


def _no_pipes(folder: str, names: list[str]) -> list[str]:
    """What nobody reads any more."""
    return [name for name in names if Path(folder, name).is_fifo()]


def _archive(of: str) -> Path:
    return CORPUS / f"{of}.tar.xz"


async def leave(cradle: Nursery, point: str, entry: Path) -> None:
    """Let a supervisor die at that point, switch the machine off, and keep what is there."""
    with place() as root, home_at(root) as home:
        home.configure(configured())
        fault = {"SWARM_FAULT": point, "SWARM_FAULT_FLAG": str(root / "fired")}
        world = World(home, make_repository(root / "project"))
        with Mortal(cradle, world, fault) as user, contextlib.suppress(Dead):
            await user.whole()
        assert (root / "fired").read_text() == point, user.log
        _switch_off(home)
        (root / _ROOT).write_bytes(os.fsencode(root))
        shutil.copytree(root, entry, symlinks=True, ignore=_no_pipes)


def _switch_off(home: Home) -> None:
    end_programs(home.root)
    for file in home.state.glob("*.db"):
        # Frames of a journal carry sums over the paths in them.
        with contextlib.closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def make(of: str) -> Path:
    """The archive of this version."""
    archive = _archive(of)
    if archive.exists():
        sys.exit(f"{archive} is there: what a version left is never made again")
    archive.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, nursery() as cradle:
        for point in points():
            print(point)
            await leave(cradle, point, Path(scratch, point))
        with tarfile.open(archive, "w:xz", preset=9) as into:
            for entry in sorted(Path(scratch).iterdir()):
                into.add(entry, arcname=entry.name)
    return archive


if __name__ == "__main__":
    print(asyncio.run(make(version("swarm-agents"))))
