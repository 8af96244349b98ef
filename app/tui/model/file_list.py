"""The files of a change as a list: below the names of their directories, each with what has to be looked at."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal, TypeAlias

from app.domain.review import Review

Flag: TypeAlias = Literal["conflict", "block", "confirm", "warn"]
FLAGS: Final[dict[Flag, tuple[str, str]]] = {
    "conflict": ("✗", "bad"),
    "block": ("✗", "bad"),
    "confirm": ("!", "ask"),
    "warn": ("!", "warn"),
}
"""Sign and ink of each, the gravest first."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A line of the list."""

    name: str
    """Of a file below its directory without that."""
    file: int
    """Its index; of a directory that of the first file below it."""
    kind: Literal["directory", "below", "alone"]


def listed(paths: Sequence[str]) -> list[FileRow]:
    """In their order; a directory with one file alone has no line of its own."""
    rows: list[FileRow] = []
    for directory, files in groupby(range(len(paths)), lambda at: _directory(paths[at])):
        below = list(files)
        if not directory or len(below) == 1:
            rows += [FileRow(paths[at], at, "alone") for at in below]
            continue
        rows.append(FileRow(directory, below[0], "directory"))
        rows += [FileRow(paths[at].removeprefix(directory), at, "below") for at in below]
    return rows


def _directory(path: str) -> str:
    """With its slash; empty at the top."""
    head, slash, _name = path.rpartition("/")
    return head + slash


def flags_of(review: Review | None) -> dict[str, Flag]:
    """By path, the gravest thing that is said about a file."""
    if review is None:
        return {}
    said: Iterable[tuple[str, Flag]] = (
        *((path, "conflict") for path in review.conflicts),
        *((finding.path, finding.severity) for finding in review.findings),
    )
    found: dict[str, Flag] = {}
    for path, flag in said:
        found[path] = min(flag, found.get(path, flag), key=list(FLAGS).index)
    return found
