"""What the faults hit: a home on a small disk of its own, its database and its clock."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from tests.support.engine_door import Door, door
from tests.support.home import Home, home_at
from tests.support.nursery import set_clock
from tests.support.postgres import Cluster, cluster

DISK: Final = "384m"
FREE: Final = "8m"
"""What swarm keeps free of that disk: below it boxes halt."""

Store: TypeAlias = Literal["sqlite", "postgres"]
Boxes: TypeAlias = Literal["memory", "docker"]


class Disk:
    """A disk of its own, small enough to be filled at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._ballast = root / "ballast"

    def fill(self) -> None:
        """To the last byte."""
        with contextlib.suppress(OSError), self._ballast.open("wb") as ballast:
            while True:
                os.posix_fallocate(ballast.fileno(), ballast.seek(0, os.SEEK_END), 64 * 1024)
                ballast.seek(0, os.SEEK_END)

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)


@dataclass(frozen=True)
class Setting:
    """One home, with all of it that can break."""

    home: Home
    boxes: Boxes
    clock: Path
    disk: Disk | None
    """None where this user may not mount one."""
    server: Cluster | None
    address: str
    """Of the database, if that is PostgreSQL."""
    door: Door | None
    """The way to the Docker engine, if that is used."""


@contextlib.contextmanager
def setting(store: Store, boxes: Boxes) -> Iterator[Setting]:
    """A setting, gone at the end."""
    with contextlib.ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak")))
        disk = stack.enter_context(_mounted(root)) if _may_mount() else None
        home = stack.enter_context(home_at(root / "user"))
        server = stack.enter_context(cluster()) if store == "postgres" else None
        clock = root / "clock"
        set_clock(clock, 0.0)
        address = server.database() if server else ""
        way = stack.enter_context(door()) if boxes == "docker" else None
        yield Setting(home, boxes, clock, disk, server, address, way)


def _may_mount() -> bool:
    return os.getuid() == 0 and shutil.which("mount") is not None


@contextlib.contextmanager
def _mounted(root: Path) -> Iterator[Disk]:
    options = ["-t", "tmpfs", "-o", f"size={DISK},mode=0755", "soak", str(root)]
    subprocess.run(["mount", *options], check=True)
    try:
        yield Disk(root)
    finally:
        subprocess.run(["umount", "--lazy", str(root)], check=True)
