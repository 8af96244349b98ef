"""What lies between two trees: files, counts and findings, read from the hub by id and parsed by NUL."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, cast

import msgspec

from app.domain.base import Value
from app.domain.errors import RepoError
from app.domain.policy import SHIPPED, ChangePolicy
from app.domain.review import FileChange, Finding
from app.repo import content, paths
from app.repo.errors import TimedOut, TooLarge
from app.repo.filenames import shown
from app.repo.git import Git, checked_id
from app.repo.process import MIB, Bounds

_COMPARE: Final = ("diff-tree", "-r", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")
_COUNT: Final = Bounds(seconds=15.0)
_LIST: Final = Bounds(output=256 * MIB)
_LONGEST_LINK: Final = 4096
_STATUS: Final[dict[str, Literal["added", "modified", "deleted", "type_changed"]]] = {
    "A": "added",
    "M": "modified",
    "D": "deleted",
    "T": "type_changed",
}


class Comparison(Value, frozen=True, kw_only=True):
    """Everything a person should know of a change before reading its diff."""

    files: tuple[FileChange, ...]
    insertions: int
    deletions: int
    findings: tuple[Finding, ...]


UNCHANGED: Final = Comparison(files=(), insertions=0, deletions=0, findings=())


class _Changed(msgspec.Struct, frozen=True):
    """One record of `diff-tree --raw`."""

    old_mode: str
    new_mode: str
    blob: str
    status: Literal["A", "M", "D", "T"]
    path: bytes


class _Count(msgspec.Struct, frozen=True):
    insertions: int = 0
    deletions: int = 0
    binary: bool = False


async def compare(
    git: Git, old: str, new: str, *, max_paths: int, policy: ChangePolicy = SHIPPED
) -> Comparison:
    """Compare two commits or trees and put the difference before the policies."""
    changed = await _changed(git, old, new, max_paths)
    if not changed:
        return UNCHANGED
    counts, counted = await _counts(git, old, new)
    files = tuple(_file(change, counts.get(change.path, _Count())) for change in changed)
    entries = await _entries(git, changed, counts)
    names = await _names(git, new) if any(entry.status == "A" for entry in entries) else ()
    insertions = sum(file.insertions for file in files)
    findings = [
        *paths.judge(entries, names, policy),
        *await content.findings(git, old, new, policy),
        *([] if counted else [_UNCOUNTED]),
        *_large(len(files), insertions),
    ]
    return Comparison(
        files=files,
        insertions=insertions,
        deletions=sum(file.deletions for file in files),
        findings=paths.ranked(findings),
    )


MANY_FILES: Final = 300
MANY_LINES: Final = 10_000
"""A change of more than that is not read line by line; that it was looked at is worth a word."""


def _large(files: int, lines: int) -> Iterator[Finding]:
    if files > MANY_FILES or lines > MANY_LINES:
        why = f"{files} files and {lines} new lines are more than a person reads"
        yield Finding(severity="confirm", path=".", rule="paths/large", why=why)


_UNCOUNTED: Final = Finding(
    severity="confirm",
    path=".",
    rule="paths/uncounted",
    why="the change is too large to count its lines; its diff may be too large to show",
)


async def _changed(git: Git, old: str, new: str, max_paths: int) -> tuple[_Changed, ...]:
    raw = await git.run(*_COMPARE, "--raw", checked_id(old), checked_id(new), bounds=_LIST)
    fields = raw.split(b"\0")[:-1]
    if len(fields) // 2 > max_paths:
        raise TooLarge(
            f"the change touches {len(fields) // 2} files; at most {max_paths} can be reviewed",
            hint="Have the agent ignore what it generates (.gitignore), or split the task.",
        )
    return tuple(_parse_raw(fields))


def _parse_raw(fields: Sequence[bytes]) -> Iterator[_Changed]:
    for about, path in zip(fields[::2], fields[1::2], strict=True):
        old_mode, new_mode, _, blob, status = about.decode().removeprefix(":").split(" ")
        kind = cast('Literal["A", "M", "D", "T"]', status[0])
        yield _Changed(old_mode, new_mode, blob, kind, path)


async def _counts(git: Git, old: str, new: str) -> tuple[dict[bytes, _Count], bool]:
    """Lines by path, and whether they could be counted in reasonable time."""
    try:
        out = await git.run(*_COMPARE, "--numstat", checked_id(old), checked_id(new), bounds=_COUNT)
    except TimedOut:
        return {}, False
    return dict(_parse_numstat(out.split(b"\0")[:-1])), True


def _parse_numstat(fields: Iterable[bytes]) -> Iterator[tuple[bytes, _Count]]:
    for field in fields:
        added, removed, path = field.split(b"\t", 2)
        binary = added == b"-"
        yield path, _Count(binary=True) if binary else _Count(int(added), int(removed))


def _file(change: _Changed, count: _Count) -> FileChange:
    return FileChange(
        path=shown(change.path),
        status=_STATUS[change.status],
        insertions=count.insertions,
        deletions=count.deletions,
        binary=count.binary,
    )


async def _entries(
    git: Git, changed: Sequence[_Changed], counts: dict[bytes, _Count]
) -> tuple[paths.Entry, ...]:
    present = [change.blob for change in changed if change.new_mode[:2] in ("10", "12")]
    sizes = await _sizes(git, present)
    links = [change.blob for change in changed if change.new_mode == paths.LINK]
    targets = await _contents(git, {link for link in links if sizes[link] <= _LONGEST_LINK}, sizes)
    return tuple(
        paths.Entry(
            status=change.status,
            old_mode=change.old_mode,
            new_mode=change.new_mode,
            path=change.path,
            link=targets.get(change.blob) if change.new_mode == paths.LINK else None,
            size=sizes.get(change.blob, 0),
            binary=counts.get(change.path, _Count()).binary,
        )
        for change in changed
    )


async def _sizes(git: Git, blobs: Sequence[str]) -> dict[str, int]:
    if not blobs:
        return {}
    asked = "".join(f"{blob}\n" for blob in blobs).encode()
    out = await git.run("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=asked)
    pairs = [line.split(" ") for line in out.decode().splitlines()]
    if absent := next((name for name, size in pairs if size == "missing"), ""):
        raise RepoError(f"the object {absent} is missing from {git.dir} and what it borrows from")
    return {name: int(size) for name, size in pairs}


async def _contents(git: Git, blobs: set[str], sizes: dict[str, int]) -> dict[str, bytes]:
    """Contents of small blobs. The sizes are known, so the stream needs no parsing."""
    order = sorted(blobs)
    if not order:
        return {}
    asked = "".join(f"{blob}\n" for blob in order).encode()
    out = await git.run("cat-file", "--batch=%(objectname)", stdin=asked)
    found, at = {}, 0
    for blob in order:
        start = at + len(blob) + 1
        at = start + sizes[blob] + 1
        found[blob] = out[start : at - 1]
    return found


async def _names(git: Git, tree: str) -> tuple[bytes, ...]:
    listed = await git.run(
        "ls-tree", "-r", "-t", "-z", "--name-only", checked_id(tree), bounds=_LIST
    )
    return tuple(listed.split(b"\0")[:-1])
