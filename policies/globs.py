"""Patterns with `*`, `**` and `?`, for files as in .gitignore and for commands."""

import re
from collections.abc import Iterable
from functools import lru_cache


def matches_path(paths: Iterable[str], patterns: Iterable[str], *, every: bool) -> bool:
    """Whether all (`every`) or some of `paths` match one of `patterns`; no paths match nothing."""
    found = [any(_path(p).fullmatch(_normal(path)) for p in patterns) for path in paths]
    return bool(found) and (all(found) if every else any(found))


def matches_command(texts: Iterable[str], patterns: Iterable[str], *, every: bool) -> bool:
    """As `matches_path`, but `*` stands for any characters at all and case and spacing do not matter."""
    found = [any(_text(_spaced(p)).fullmatch(_spaced(text)) for p in patterns) for text in texts]
    return bool(found) and (all(found) if every else any(found))


def _spaced(text: str) -> str:
    return " ".join(text.split()).casefold()


def _normal(path: str) -> str:
    """`./a//b/../c` as `a/c`; what leads out of the tree keeps its `..` in front."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return ("/" if path.startswith("/") else "") + "/".join(parts)


@lru_cache(maxsize=1024)
def _path(pattern: str) -> re.Pattern[str]:
    """Without a slash, a pattern matches a name at any depth; a directory's pattern matches what is in it."""
    anchored = "/" in pattern.rstrip("/")
    body = "".join(_piece(piece) for piece in re.split(r"(\*\*/|\*\*|\*|\?)", pattern.strip("/")))
    front = "/?" if pattern.startswith("/") else ""
    return re.compile(front + ("" if anchored else "(?:.*/)?") + body + "(?:/.*)?", re.DOTALL)


@lru_cache(maxsize=1024)
def _text(pattern: str) -> re.Pattern[str]:
    found = (_letters(piece) for piece in re.split(r"(\\.|\*|\?)", pattern))
    return re.compile("".join(found), re.DOTALL)


def _letters(piece: str) -> str:
    """`*` and `?` stand for any characters and for one; behind a backslash, for themselves, as it does itself."""
    if piece in ("\\*", "\\?", "\\\\"):
        return re.escape(piece[1])
    return {"*": ".*", "?": "."}.get(piece, re.escape(piece))


def _piece(piece: str) -> str:
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return known.get(piece, re.escape(piece))
