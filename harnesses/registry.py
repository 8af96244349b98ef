"""Harnesses by name: drivers are found through entry points, ours and a stranger's alike."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import msgspec

from harnesses.base import Capabilities, Harness
from harnesses.errors import HarnessError, UnknownHarness
from harnesses.text import nearest

GROUP: Final = "swarm.harnesses"
_PARTS: Final = ("check", "launch", "session")


class Installed(msgspec.Struct, frozen=True):
    """All drivers that load, and why the others do not."""

    harnesses: Mapping[str, Harness]
    warnings: tuple[str, ...] = ()


def names() -> tuple[str, ...]:
    """Names of all installed drivers; none is imported."""
    return tuple(sorted(_points()))


def load(name: str) -> Harness:
    """The driver of that name. `UnknownHarness` names the nearest one that is installed."""
    points = _points()
    if name in points:
        return _load(points[name])
    meant = nearest(name, points)
    raise UnknownHarness(
        f"no harness is called `{name}`" + (f", did you mean `{meant}`?" if meant else ""),
        hint=f"Installed: {', '.join(sorted(points))}.",
    )


def load_all() -> Installed:
    """Every driver that loads; one that does not becomes a warning, not an error."""
    harnesses: dict[str, Harness] = {}
    warnings: list[str] = []
    for name, point in sorted(_points().items()):
        try:
            harnesses[name] = _load(point)
        except HarnessError as error:
            warnings.append(str(error))
    return Installed(harnesses, tuple(warnings))


def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _load(point: EntryPoint) -> Harness:
    try:
        made = point.load()()
    except Exception as error:
        # A stranger's module may raise anything when it is imported.
        raise HarnessError(
            f"the harness `{point.name}` ({point.value}) does not load: {error!r}",
            hint="Update or remove the package that brings it.",
        ) from error
    return _conforming(point, made)


def _conforming(point: EntryPoint, made: object) -> Harness:
    lacking = [part for part in _PARTS if not callable(getattr(made, part, None))]
    if not isinstance(getattr(made, "capabilities", None), Capabilities):
        lacking.append("capabilities")
    if getattr(made, "name", None) != point.name:
        lacking.append(f"name = {point.name!r}")
    if lacking:
        raise HarnessError(
            f"the harness `{point.name}` ({point.value}) is not one: it lacks {', '.join(lacking)}",
            hint="See docs/how-to/add-a-harness.md.",
        )
    harness: Harness = made  # type: ignore[assignment]
    return harness
