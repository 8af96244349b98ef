"""Finds drivers by their entry point: all names, one by name, all of them."""

import difflib
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import cast

from sandboxes.base import Driver
from sandboxes.errors import SandboxUnavailable, UnknownDriver

GROUP = "swarm.sandboxes"


def names() -> tuple[str, ...]:
    """Names of the installed drivers, sorted, without importing any."""
    return tuple(sorted(_entries()))


def load(name: str, root: Path) -> Driver:
    """The driver of that name; it may keep its own files below `root`."""
    entries = _entries()
    if name not in entries:
        raise UnknownDriver(f"No sandbox driver is called {name!r}", hint=_nearest(name))
    try:
        factory = entries[name].load()
    except ImportError as error:
        raise SandboxUnavailable(
            f"The sandbox driver {name!r} cannot be imported: {error}",
            hint="Install what it needs, or choose another sandbox.",
        ) from error
    return cast("Driver", factory(root=root))


def load_all(root: Path) -> dict[str, Driver]:
    """Every installed driver by name, each with a directory of its own below `root`."""
    return {name: load(name, root / name) for name in names()}


def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _nearest(name: str) -> str:
    known = names()
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Installed are: {', '.join(known)}."
