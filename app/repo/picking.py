"""A change without some of its parts: made by git from trees alone, with no checkout and nothing run."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

import msgspec

from app.domain.base import Value
from app.domain.errors import NotFound, NotNow
from app.domain.review import LeftOut
from app.repo import diffs
from app.repo.git import Git, checked_id
from app.repo.hub import Hub

_HUNK: Final = re.compile(rb"^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@.*\n", re.MULTILINE)
_MODES: Final = re.compile(rb"^(?:old|new) mode [0-7]+\n", re.MULTILINE)
_WHOLE: Final = (
    b"\nnew file mode ",
    b"\ndeleted file mode ",
    b"\nGIT binary patch",
    b"\nBinary files ",
)
"""Of such a file nothing less than all can be left out."""


class Hunk(Value, frozen=True, kw_only=True):
    """One hunk of a file's diff."""

    first: int
    """Its first line in the new text."""
    last: int
    patch: bytes
    """From its `@@` on."""

    @property
    def digest(self) -> str:
        """Names it by what it changes, wherever it stands."""
        return hashlib.sha256(self.patch.partition(b"\n")[2]).hexdigest()[:16]


async def named(hub: Hub, tip: str, tree: str, path: str, line: int) -> LeftOut:
    """What of the shown change is meant: the hunk around a line of the new text, or with 0 the whole file.

    Raises `NotFound` when the change does not touch it.
    """
    patch = await diffs.diff(hub, tip, tree, paths=[path])
    if not patch:
        raise NotFound(f"what would land does not change {path}", hint="Look again.")
    if not line:
        return LeftOut(path=path)
    _head, hunks = hunks_of(patch)
    found = [hunk for hunk in hunks if hunk.first <= line <= hunk.last]
    if not found and not _only_whole(patch):
        raise NotFound(f"no hunk of what would land is at {path}:{line}", hint="Look again.")
    return LeftOut(path=path, hunk="" if _only_whole(patch) else found[0].digest)


async def without(hub: Hub, tip: str, tree: str, left_out: Sequence[LeftOut]) -> str:
    """The tree with these parts as they are at the tip.

    A hunk that can no longer be told apart takes its whole file along: rather too little lands than too much.
    """
    with tempfile.TemporaryDirectory(prefix="swarm-pick-") as scratch:
        index = os.fspath(Path(scratch, "index"))
        git = msgspec.structs.replace(hub.git(), env={"GIT_INDEX_FILE": index})
        await git.run("read-tree", checked_id(tree))
        parts = sorted(left_out, key=lambda part: part.path)
        for path, of_it in groupby(parts, key=lambda part: part.path):
            wanted = {part.hunk for part in of_it}
            if "" in wanted or not await _reversed(hub, git, tip, tree, path, wanted):
                await _as_before(git, tip, path)
        return await git.line("write-tree")


def hunks_of(patch: bytes) -> tuple[bytes, list[Hunk]]:
    """What stands before the first hunk of a file's diff, and the hunks."""
    found = list(_HUNK.finditer(patch))
    if not found:
        return patch, []
    ends = [*(each.start() for each in found[1:]), len(patch)]
    hunks = []
    for each, end in zip(found, ends, strict=True):
        first, count = int(each[1]), int(each[2] or 1)
        hunks.append(
            Hunk(first=first, last=first + max(count, 1) - 1, patch=patch[each.start() : end])
        )
    return patch[: found[0].start()], hunks


async def _reversed(
    hub: Hub, git: Git, tip: str, tree: str, path: str, wanted: Iterable[str]
) -> bool:
    """Take these hunks back in the index; whether all of them were found, and went."""
    patch = await diffs.diff(hub, tip, tree, paths=[path])
    head, hunks = hunks_of(patch)
    out = [hunk for hunk in hunks if hunk.digest in wanted]
    if _only_whole(patch) or {hunk.digest for hunk in out} != set(wanted):
        return False
    back = _MODES.sub(b"", head) + b"".join(hunk.patch for hunk in out)
    apply = ("apply", "--cached", "--reverse", "--whitespace=nowarn", "-")
    return (await git.ask(*apply, stdin=back)).code == 0


async def _as_before(git: Git, tip: str, path: str) -> None:
    """The whole file as it is at the tip, or gone where it is not there."""
    listed = await git.run("ls-tree", "-z", checked_id(tip), "--", path)
    name = os.fsencode(path)
    entry = b"0 %s\t%s\0" % (b"0" * len(tip), name)
    if listed:
        facts = listed.partition(b"\t")[0].split()
        entry = b"%s %s\t%s\0" % (facts[0], facts[2], name)
    done = await git.ask("update-index", "-z", "--index-info", stdin=entry)
    if done.code != 0:
        raise NotNow(
            f"{path} cannot be left out alone: {done.stderr.strip()[-200:]}",
            hint="Ask the agent to take it back: `swarm changes`.",
        )


def _only_whole(patch: bytes) -> bool:
    head = patch.partition(b"\n@@ ")[0]
    return any(word in head for word in _WHOLE)
