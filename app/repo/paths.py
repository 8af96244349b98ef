"""The path policy: what a change may not hold (block), what a person must confirm one by one, what to warn of.

Pure: entries of a comparison in, findings out. Names are bytes, as git has them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Final, Literal

import msgspec

from app.domain.policy import SHIPPED, ChangePolicy
from app.domain.review import Finding, Severity
from app.repo.filenames import folded, link_problem, name_problem, shown
from app.repo.sensitive import sensitive
from policies.globs import matches_path

GITLINK: Final = "160000"
LINK: Final = "120000"
EXECUTABLE: Final = "100755"
TOO_LONG_TO_READ: Final = 1024 * 1024
"""Bytes from which a file is no longer something a person reads."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One changed path."""

    status: Literal["A", "M", "D", "T"]
    old_mode: str
    new_mode: str
    path: bytes
    link: bytes | None = None
    """What it points to, if it is a symbolic link now; None when that is absurdly long."""
    size: int = 0
    """Bytes it has now."""
    binary: bool = False


def judge(
    entries: Iterable[Entry], names: Iterable[bytes] = (), policy: ChangePolicy = SHIPPED
) -> tuple[Finding, ...]:
    """All findings, the gravest first. `names` are all paths, directories too, of the tree it leads to."""
    changed = tuple(entries)
    new = frozenset(entry.path for entry in changed if entry.status == "A")
    tree = tuple(dict.fromkeys(names)) if new else ()
    found = [finding for entry in changed for finding in _about(entry, policy)]
    found += clashes(tree, new)
    found += bare_repositories(tree, new)
    return ranked(found)


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """In the order in which a person should see them."""
    return tuple(sorted(findings, key=lambda one: (_ORDER[one.severity], one.path, one.line)))


_ORDER: Final = {"block": 0, "confirm": 1, "warn": 2}


def _about(entry: Entry, policy: ChangePolicy) -> Iterator[Finding]:
    if entry.status != "D":
        yield from _blocked(entry)
    yield from _configured(entry, policy)
    if matches(entry.path, policy.allow):
        return
    if entry.status != "D":
        yield from _unreadable(entry)
    yield from _sensitive(entry)
    yield from _odd(entry)


_SAYS: Final = {
    "block": "the configuration lets nobody change it",
    "confirm": "the configuration wants a person to look at it",
    "warn": "the configuration wants it told",
}


def _configured(entry: Entry, policy: ChangePolicy) -> Iterator[Finding]:
    """The strictest of what people's files say about the path."""
    rules: tuple[tuple[Severity, tuple[str, ...]], ...] = (
        ("block", policy.block),
        ("confirm", policy.confirm),
        ("warn", policy.warn),
    )
    for severity, patterns in rules:
        if matches(entry.path, patterns):
            yield _finding(severity, entry.path, f"config-{severity}", _SAYS[severity])
            return


def matches(path: bytes, patterns: Collection[str]) -> bool:
    """Without regard to case, as some disks do."""
    if not patterns:
        return False
    wanted = [folded(pattern) for pattern in patterns]
    return matches_path((folded(shown(path)),), wanted, every=False)


def _finding(severity: Severity, path: bytes, rule: str, why: str) -> Finding:
    return Finding(severity=severity, path=shown(path), rule=f"paths/{rule}", why=why)


def _blocked(entry: Entry) -> Iterator[Finding]:
    if entry.new_mode == GITLINK:
        yield _finding(
            "block",
            entry.path,
            "gitlink",
            "it is a repository of its own, which could hold anything",
        )
    if entry.new_mode == LINK and (why := link_problem(entry.path, entry.link)):
        yield _finding("block", entry.path, "link", why)
    if entry.status == "A" and (why := name_problem(entry.path)):
        yield _finding("block", entry.path, "name", why)


def clashes(names: Iterable[bytes], new: Collection[bytes]) -> Iterator[Finding]:
    """New paths that another name of the tree equals on a disk that ignores case or accents' spelling."""
    touched = {prefix for path in new for prefix in _prefixes(path)}
    parents = {_parent(prefix) for prefix in touched}
    groups: dict[tuple[bytes, str], list[bytes]] = defaultdict(list)
    for name in names:
        parent, _, leaf = name.rpartition(b"/")
        if parent in parents:
            groups[parent, folded(shown(leaf))].append(name)
    for group in groups.values():
        if len(group) > 1 and (mine := next((name for name in group if name in touched), None)):
            other = next(name for name in group if name != mine)
            yield _finding(
                "block", mine, "clash", f"on some disks it is the same as {shown(other)}"
            )


def _prefixes(path: bytes) -> Iterator[bytes]:
    while path:
        yield path
        path = _parent(path)


def _parent(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]


def bare_repositories(names: Iterable[bytes], new: Collection[bytes]) -> Iterator[Finding]:
    """Directories that git would take for a repository, and whose configuration it would obey."""
    tree = frozenset(name.lower() for name in names)
    near = {_parent(prefix).lower() for path in new for prefix in _prefixes(path)}
    for directory in sorted(near):
        inside = directory + b"/" if directory else b""
        marks = (inside + mark for mark in (b"refs", b"objects", b"commondir"))
        if inside + b"head" in tree and any(mark in tree for mark in marks):
            yield _finding(
                "block", directory or b".", "bare", "git would take this directory for a repository"
            )


def _sensitive(entry: Entry) -> Iterator[Finding]:
    if why := sensitive(entry.path):
        yield _finding("confirm", entry.path, "sensitive", f"it {why}")


def _unreadable(entry: Entry) -> Iterator[Finding]:
    if entry.binary:
        yield _finding("confirm", entry.path, "binary", "it cannot be reviewed as text")
    elif entry.size > TOO_LONG_TO_READ:
        yield _finding("confirm", entry.path, "long", f"it is {entry.size} bytes long")


def _odd(entry: Entry) -> Iterator[Finding]:
    if entry.status == "M" and entry.old_mode != entry.new_mode:
        yield _finding("warn", entry.path, "mode", f"mode {entry.old_mode} → {entry.new_mode}")
    if entry.status == "T":
        yield _finding("warn", entry.path, "type", "it becomes another type of file")
    if entry.status == "A" and entry.new_mode == EXECUTABLE:
        yield _finding("warn", entry.path, "executable", "it is new and can be run")
    if entry.new_mode == LINK:
        to = shown(entry.link or b"")
        yield _finding("warn", entry.path, "symlink", f"it is a symbolic link to {to}")
    if entry.status == "D" and entry.old_mode == GITLINK:
        yield _finding("warn", entry.path, "submodule", "it was a submodule")


def left_out(paths: Iterable[str]) -> tuple[Finding, ...]:
    """Warnings of what is in the agent's tree but not in the snapshot."""
    why = "it is not in the snapshot: too large, unreadable, or no ordinary file"
    return tuple(
        Finding(severity="warn", path=path, rule="paths/left-out", why=why) for path in paths
    )
