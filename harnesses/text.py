"""Small helpers for what agents print: cut it, put it on one line, name paths as the user knows them."""

import difflib
import json
import posixpath
import re
import shlex
from collections.abc import Iterable
from typing import Any, Final

import msgspec

INPUT_LIMIT: Final = 4_000
"""Characters kept of a tool's input."""
OUTPUT_LIMIT: Final = 8_000
"""Characters kept of a tool's output."""
TITLE_LIMIT: Final = 120
"""Characters of a title; it stands on one line of a screen."""

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def sound(line: str) -> bytes:
    """A JSON line as UTF-8. Half of a surrogate pair, as JavaScript cuts its texts, becomes `?`."""
    if not _SURROGATE.search(line):
        return line.encode()
    return json.dumps(json.loads(line), ensure_ascii=False).encode(errors="replace")


def clip(text: str, limit: int) -> str:
    """The beginning of a text, and how much was left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit} more characters)"


def excerpt(line: str, limit: int = 500) -> str:
    """The beginning of a line that is kept as a curiosity, sound to encode whatever was in it."""
    return clip(line[: limit + 1].encode(errors="replace").decode() + line[limit + 1 :], limit)


def one_line(text: str, limit: int = TITLE_LIMIT) -> str:
    """The text with all white space as single blanks, cut to fit a title."""
    line = " ".join(text[: limit * 4].split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def as_json(value: Any) -> str:
    """A decoded value as JSON text of readable length."""
    try:
        return clip(msgspec.json.encode(value).decode(), INPUT_LIMIT)
    except RecursionError:
        return "(nested too deep to show)"


def relative(path: str, workspace: str) -> str:
    """The path as seen from the tree; a path outside stays as it is."""
    full = posixpath.normpath(posixpath.join(workspace, path))
    root = posixpath.normpath(workspace)
    if full == root:
        return "."
    return full.removeprefix(root + "/") if full.startswith(root + "/") else full


def out_of_shell(line: str) -> str:
    """The command inside the shell that some agents wrap around it."""
    try:
        words = shlex.split(line)
    except ValueError:
        return line
    wrapped = len(words) == 3 and words[0].endswith("sh") and words[1] in ("-lc", "-c")
    return words[2] if wrapped else line


def is_uuid(text: str) -> bool:
    """Whether it is an id that may stand in a command line or a file name."""
    return _UUID.fullmatch(text) is not None


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant; empty when none is close."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return close[0] if close else ""
