"""What the added lines of a change hold that a person should know before reading them."""

import asyncio
import codecs
import re
from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

from app.domain.policy import ChangePolicy
from app.domain.review import Finding
from app.repo.errors import TimedOut, TooLarge
from app.repo.filenames import shown
from app.repo.git import Git, checked_id
from app.repo.paths import matches
from app.repo.process import MIB, Bounds
from policies.deception import tricks
from policies.secrets import Leak, scan

_PATCH: Final = ("diff-tree", "-r", "-p", "--no-renames", "--no-ext-diff", "--no-textconv", "-U0")
_BOUNDS: Final = Bounds(seconds=20.0, output=48 * MIB)
LONGEST_LINE: Final = 4_000
"""Characters from which a line is no longer something a person reads."""
MOST_LEAKS: Final = 100
"""Secrets told one by one; a change with more is not one to let through by naming them."""
_HUNK: Final = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


class Added(msgspec.Struct, frozen=True):
    """The lines that a change adds to one file."""

    path: bytes
    lines: tuple[str, ...]
    numbers: tuple[int, ...]
    """Where each stands in the file as it is now, counted from 1."""

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


async def findings(git: Git, old: str, new: str, policy: ChangePolicy) -> tuple[Finding, ...]:
    """What stands in the lines that `new` adds to `old`."""
    patch = await _patch(git, old, new)
    if patch is None:
        return (_UNREAD,)
    return await asyncio.to_thread(judge, parse(patch), policy)


_UNREAD: Final = Finding(
    severity="confirm",
    path=".",
    rule="secrets/unread",
    why="the change is too large to look for secrets in it",
)


async def _patch(git: Git, old: str, new: str) -> bytes | None:
    """The change as a patch, binary files too where that is not too much; None when even without it is."""
    for how in (("--text",), ()):
        try:
            words = (*_PATCH, *how, checked_id(old), checked_id(new))
            return await git.run(*words, bounds=_BOUNDS)
        except TooLarge:
            continue
        except TimedOut:
            return None
    return None


def parse(patch: bytes) -> Iterator[Added]:
    """The added lines of every file. Hunks are counted, so that no content can pass for a header."""
    path, lines, numbers = b"", list[str](), list[int]()
    rows = iter(patch.split(b"\n"))
    for row in rows:
        if row.startswith(b"diff --git "):
            if lines:
                yield Added(path, tuple(lines), tuple(numbers))
            path, lines, numbers = b"", [], []
        elif row.startswith(b"+++ "):
            path = _name(row[4:])
        elif match := _HUNK.match(row):
            removed, at, added = (int(part) if part else 1 for part in match.groups())
            for number, line in _hunk(rows, removed, added):
                lines.append(line)
                numbers.append(at + number)
    if lines:
        yield Added(path, tuple(lines), tuple(numbers))


def _hunk(rows: Iterator[bytes], removed: int, added: int) -> Iterator[tuple[int, str]]:
    left, number = removed + added, 0
    while left:
        row = next(rows, None)
        if row is None:
            return
        if row.startswith(b"\\"):  # No newline at the end of the file.
            continue
        left -= 1
        if row.startswith(b"+"):
            yield number, row[1:].decode(errors="replace")
            number += 1


def _name(written: bytes) -> bytes:
    """`b/path`, quoted as C does where it holds odd signs, as the path."""
    written = written.removesuffix(b"\t")
    if written.startswith(b'"'):
        written = codecs.escape_decode(written[1:-1])[0]
    return written.removeprefix(b"b/")


def judge(added: Iterable[Added], policy: ChangePolicy) -> tuple[Finding, ...]:
    """Findings of all files. Pure."""
    found: list[Finding] = []
    for one in added:
        of_one = [*_leaks(one, policy), *_tricks(one), *_unreadable(one)]
        trusted = matches(one.path, policy.allow)
        found += [each for each in of_one if each.severity == "block" or not trusted]
    blocked = [finding for finding in found if finding.severity == "block"]
    if len(blocked) <= MOST_LEAKS:
        return tuple(found)
    return (_many(len(blocked)), *(f for f in found if f not in set(blocked[MOST_LEAKS:])))


def _leaks(one: Added, policy: ChangePolicy) -> Iterator[Finding]:
    for leak in scan(one.text):
        if leak.fingerprint not in policy.secrets:
            yield _leak(shown(one.path), one.numbers[leak.line], leak)


def _leak(path: str, line: int, leak: Leak) -> Finding:
    kind: Literal["block", "warn"] = "block" if leak.certain else "warn"
    return Finding(
        severity=kind,
        path=path,
        rule=f"secrets/{leak.kind}",
        why=f"line {line} holds {leak.title}: {leak.masked}",
        line=line,
        fingerprint=leak.fingerprint,
    )


def secrets_in(text: str, where: str, policy: ChangePolicy) -> tuple[Finding, ...]:
    """Certain secrets in words of a person or an agent that would be kept or sent on. Pure."""
    found = (leak for leak in scan(text, guess=False) if leak.fingerprint not in policy.secrets)
    return tuple(_leak(where, leak.line + 1, leak) for leak in found)


def _many(count: int) -> Finding:
    why = f"{count} secrets are in this change, of which {MOST_LEAKS} are listed"
    return Finding(severity="block", path=".", rule="secrets/many", why=why)


def _tricks(one: Added) -> Iterator[Finding]:
    """One finding of each rule a file, at the first line that has it."""
    found: dict[str, list[tuple[int, str]]] = {}
    for trick in tricks(one.text):
        found.setdefault(trick.rule, []).append((one.numbers[trick.line], trick.why))
    for rule, places in found.items():
        line, why = places[0]
        more = f", and {len(places) - 1} lines more" if len(places) > 1 else ""
        yield Finding(
            severity="warn",
            path=shown(one.path),
            rule=f"text/{rule}",
            why=f"line {line}: {why}{more}",
            line=line,
        )


def _unreadable(one: Added) -> Iterator[Finding]:
    length, line = max(
        (len(text), number) for text, number in zip(one.lines, one.numbers, strict=True)
    )
    if length > LONGEST_LINE:
        yield Finding(
            severity="confirm",
            path=shown(one.path),
            rule="text/long-line",
            why=f"line {line} is {length} characters long, which nobody reads",
            line=line,
        )
