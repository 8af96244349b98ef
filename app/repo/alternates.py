"""Git's list of further object directories: read along its chain, and written so that any path survives."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from app.domain.errors import RepoError

_DEEPEST: Final = 5
"""Git follows no longer chain either."""
_ESCAPES: Final = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b"}


def chain(objects: Path) -> tuple[Path, ...]:
    """The object directory and all it borrows from, nearest first, each once."""
    found: dict[Path, None] = {}
    for directory in _walk(objects.resolve(), 0):
        found.setdefault(directory)
    return tuple(found)


def _walk(objects: Path, depth: int) -> Iterator[Path]:
    if depth > _DEEPEST or not objects.is_dir():
        return
    yield objects
    try:
        text = (objects / "info" / "alternates").read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise RepoError(f"cannot read the alternates of {objects}: {error.strerror}") from error
    for line in text.split(b"\n"):
        if line and not line.startswith(b"#"):
            yield from _walk((objects / os.fsdecode(unquote(line))).resolve(), depth + 1)


def lines(directories: Iterable[str]) -> str:
    """The content of an `alternates` file."""
    return "".join(f"{quote(directory)}\n" for directory in directories)


def as_variable(directories: Iterable[str]) -> str:
    """The value of `GIT_ALTERNATE_OBJECT_DIRECTORIES`."""
    return ":".join(quote(directory, also=":") for directory in directories)


def quote(path: str, *, also: str = "") -> str:
    """The path, in git's own quotes where it could be misread."""
    if path and path[0] not in '"#' and not any(sign in path for sign in "\n" + also):
        return path
    for sign, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
        path = path.replace(sign, escape)
    return f'"{path}"'


def unquote(line: bytes) -> bytes:
    """The path of a line of an `alternates` file."""
    if not (len(line) > 1 and line.startswith(b'"') and line.endswith(b'"')):
        return line
    return re.sub(rb"\\([0-7]{3}|.)", _unescape, line[1:-1])


def _unescape(match: re.Match[bytes]) -> bytes:
    text = match[1]
    return bytes([int(text, 8) & 0xFF]) if text.isdigit() else _ESCAPES.get(text, text)
