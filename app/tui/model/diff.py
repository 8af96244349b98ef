"""A unified diff as git prints it, kept as bytes: indexed fast, decoded only where it is looked at."""

import re
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from app.tui.model.line import LONGEST, pattern_of
from app.tui.model.words import Marks, word_marks

_LANDMARK: Final = re.compile(
    rb"^(?:(diff --git )[^\n]*|@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@[^\n]*)\n", re.MULTILINE
)
_SLICE: Final = re.compile(rb"(?:[^\n]*\n){1,256}")
"""Hunks are cut into blocks of so many lines: a file of a million new lines is no more work than any other."""
_QUOTED: Final = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_ESCAPES: Final = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))
_DECODED: Final = 64
"""Blocks kept decoded."""

Kind: TypeAlias = Literal["file", "hunk", "lines", "note"]


@dataclass(slots=True)
class DiffFile:
    """One file of the diff."""

    path: str
    status: str = "modified"
    note: str = ""
    """What stands in place of lines: binary, renamed, mode changed."""
    row: int = 0
    """The row of its heading."""
    insertions: int = 0
    deletions: int = 0


@dataclass(slots=True)
class Block:
    """Rows of one kind that lie together."""

    kind: Kind
    file: int
    start: int
    end: int
    old: int = 0
    new: int = 0


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One row as it is drawn."""

    kind: Kind
    file: int
    sign: str
    """`+`, `-`, a space, or the backslash of git's remark about the end of a file."""
    old: int | None
    new: int | None
    """Its line in the new file; of a hunk's heading the hunk's first."""
    text: str
    marks: Marks = ()
    """From where to where the words differ."""


class Diff:
    """Rows by number. Index it by `scan`, all at once or piece by piece."""

    def __init__(self, data: bytes) -> None:
        self.data = data if not data or data.endswith(b"\n") else data + b"\n"
        self.files: list[DiffFile] = []
        self.rows = 0
        self.scanned = 0
        self._blocks: list[Block] = []
        self._starts: list[int] = []
        self._hunks: list[int] = []
        self._old = self._new = self._most = 0
        self._decoded: OrderedDict[int, list[DiffRow]] = OrderedDict()

    @property
    def done(self) -> bool:
        return self.scanned >= len(self.data)

    def scan(self, size: int | None = None) -> None:
        """Index the next `size` bytes, up to a line's end; all that is left without a size."""
        limit = len(self.data) if size is None else min(self.scanned + size, len(self.data))
        limit = self.data.find(b"\n", limit - 1) + 1 if limit else 0
        position = self.scanned
        for landmark in _LANDMARK.finditer(self.data, position, limit):
            self._add_lines(position, landmark.start())
            if landmark[1]:
                position = self._add_file(landmark.start(), landmark.end())
            else:
                position = landmark.end()
                self._add_hunk(landmark)
        # A heading may reach past the limit, because a file's first hunk tells where it ends.
        if position < limit:
            self._add_lines(position, limit)
        self.scanned = max(position, limit)

    def row(self, number: int) -> DiffRow:
        index = bisect_right(self._starts, number) - 1
        block = self._blocks[index]
        if block.kind == "lines":
            return self._rows_of(index)[number - self._starts[index]]
        return self._lone(block)

    @property
    def blocks(self) -> int:
        return len(self._blocks)

    def block(self, index: int) -> tuple[int, str]:
        """A block's first row, and the signs of its lines; no signs: it is a single row."""
        found = self._blocks[index]
        if found.kind != "lines":
            return self._starts[index], ""
        lines = self.data[found.start : found.end].split(b"\n")[:-1]
        signs = b"".join(line[:1] or b" " for line in lines)
        return self._starts[index], signs.decode("ascii", "replace")

    def around(self, row: int) -> tuple[str, int, list[DiffRow]]:
        """The lines of the block that this line belongs to: their file, the number of the first, and they."""
        index = bisect_right(self._starts, row) - 1
        path = self.files[self._blocks[index].file].path
        return path, self._starts[index], self._rows_of(index)

    def last_line(self) -> int:
        """A number no line number is above."""
        return self._most + 256

    def file_at(self, row: int) -> int:
        """Index of the file that this row belongs to; -1 in an empty diff."""
        return self._blocks[bisect_right(self._starts, row) - 1].file if self._blocks else -1

    def hunk_after(self, row: int) -> int | None:
        index = bisect_right(self._hunks, row)
        return self._hunks[index] if index < len(self._hunks) else None

    def hunk_before(self, row: int) -> int | None:
        index = bisect_right(self._hunks, row - 1)
        return self._hunks[index - 1] if index else None

    def find(self, path: str, line: int) -> int | None:
        """The row that shows that line of the new file, or the nearest one above it; None without the file."""
        wanted = next((at for at, file in enumerate(self.files) if file.path == path), None)
        if wanted is None:
            return None
        best = self.files[wanted].row
        for start, block in zip(self._starts, self._blocks, strict=True):
            if block.file == wanted and block.kind == "lines" and block.new <= line:
                best = start
        index = bisect_right(self._starts, best) - 1
        if self._blocks[index].kind == "lines":
            for offset, row in enumerate(self._rows_of(index)):
                if row.new is not None and row.new <= line:
                    best = self._starts[index] + offset
        return best

    def search(self, words: str, row: int, step: int) -> int | None:
        """The first row with the words after `row`, or before it, round the end if need be."""
        pattern = pattern_of(words)
        flags = pattern.flags & re.IGNORECASE
        raw = re.compile(re.escape(words.encode()), flags) if words.isascii() else None
        here = max(0, bisect_right(self._starts, row) - 1)
        for distance in range(self.blocks + 1):
            index = (here + step * distance) % self.blocks
            block = self._blocks[index]
            if raw and block.kind == "lines" and not raw.search(self.data, block.start, block.end):
                continue
            rows = self._matches(index, pattern)
            if distance == 0:
                rows = [at for at in rows if (at > row if step > 0 else at < row)]
            if rows:
                return rows[0] if step > 0 else rows[-1]
        return None

    def _matches(self, index: int, pattern: "re.Pattern[str]") -> list[int]:
        first, block = self._starts[index], self._blocks[index]
        rows = self._rows_of(index) if block.kind == "lines" else [self._lone(block)]
        return [first + at for at, row in enumerate(rows) if pattern.search(row.text)]

    def _add(self, block: Block, rows: int) -> None:
        self._starts.append(self.rows)
        self._blocks.append(block)
        self._most = max(self._most, block.old, block.new)
        self.rows += rows

    def _add_file(self, start: int, end: int) -> int:
        """Read a file's heading; returns where what follows it begins."""
        after = _LANDMARK.search(self.data, end)
        stop = after.start() if after else len(self.data)
        file = _heading(self.data[start : min(stop, start + 65536)])
        file.row = self.rows
        self.files.append(file)
        index = len(self.files) - 1
        self._add(Block("file", index, start, end), 1)
        if file.note:
            self._add(Block("note", index, start, end), 1)
        return stop

    def _add_hunk(self, landmark: "re.Match[bytes]") -> None:
        self._old, self._new = int(landmark[2]), int(landmark[3])
        self._hunks.append(self.rows)
        block = Block(
            "hunk", len(self.files) - 1, landmark.start(), landmark.end(), self._old, self._new
        )
        self._add(block, 1)

    def _add_lines(self, start: int, end: int) -> None:
        """Body lines of the current hunk; whatever stands before the first file is not a diff."""
        if not self.files:
            return
        file = self.files[-1]
        for piece in _SLICE.finditer(self.data, start, end):
            first, last = piece.span()
            count = self.data.count
            rows = count(b"\n", first, last)
            added, removed, remarks = (
                count(mark, first - 1, last - 1) for mark in (b"\n+", b"\n-", b"\n\\")
            )
            self._add(Block("lines", len(self.files) - 1, first, last, self._old, self._new), rows)
            self._old += rows - added - remarks
            self._new += rows - removed - remarks
            file.insertions += added
            file.deletions += removed

    def _lone(self, block: Block) -> DiffRow:
        file = self.files[block.file]
        text = {"file": file.path, "note": file.note}.get(block.kind)
        if text is None:
            text = _text(self.data[block.start : block.end - 1])
        return DiffRow(block.kind, block.file, "", None, block.new or None, text)

    def _rows_of(self, index: int) -> list[DiffRow]:
        known = self._decoded.get(index)
        if known is None:
            known = self._decoded[index] = self._decode(self._blocks[index])
            if len(self._decoded) > _DECODED:
                self._decoded.popitem(last=False)
        else:
            self._decoded.move_to_end(index)
        return known

    def _decode(self, block: Block) -> list[DiffRow]:
        old, new = block.old, block.new
        raw = self.data[block.start : block.end].split(b"\n")[:-1]
        texts = [_text(line[1 : LONGEST + 1]) for line in raw]
        signs = [line[:1].decode("ascii", "replace") or " " for line in raw]
        marks = word_marks(signs, texts)
        rows = []
        for index, (sign, text) in enumerate(zip(signs, texts, strict=True)):
            at_old = old if sign in "- " else None
            at_new = new if sign in "+ " else None
            rows.append(DiffRow("lines", block.file, sign, at_old, at_new, text, marks[index]))
            old += at_old is not None
            new += at_new is not None
        return rows


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").expandtabs(4)


def _heading(raw: bytes) -> DiffFile:
    """Path, status and remark of one file, from everything before its first hunk."""
    lines = raw.split(b"\n")
    found = DiffFile(path=_path_of_git_line(lines[0]))
    for line in lines[1:]:
        word, _, rest = line.partition(b" ")
        if (word == b"+++" and rest != b"/dev/null") or (word == b"---" and rest != b"/dev/null"):
            found.path = _path(rest)
        elif line.startswith(b"new file mode"):
            found.status = "added"
            found.note = "a symbolic link" if line.endswith(b"120000") else ""
        elif line.startswith(b"deleted file mode"):
            found.status = "deleted"
        elif line.startswith(b"rename from "):
            found.note = f"renamed from {_path(line[12:])}"
        elif line.startswith(b"new mode "):
            found.note = f"mode is now {line[9:].decode('ascii', 'replace')}"
        elif line.startswith((b"Binary files ", b"GIT binary patch")):
            found.note = "a binary file; its content is not shown"
    return found


def _path(raw: bytes) -> str:
    """A path of a heading: without the tab git puts behind spaces, the quotes and the side's letter."""
    raw = raw.removesuffix(b"\t")
    if raw.startswith(b'"') and raw.endswith(b'"'):
        raw = _QUOTED.sub(_unquoted, raw[1:-1])
    if raw[:2] in {b"a/", b"b/"}:
        raw = raw[2:]
    return raw.decode("utf-8", "replace")


def _unquoted(match: "re.Match[bytes]") -> bytes:
    code = match[1]
    return bytes([int(code, 8) & 255 if len(code) == 3 else _ESCAPES[code[0]]])


def _path_of_git_line(line: bytes) -> str:
    """Where nothing else names the file: both halves of the line are the same path."""
    rest = line.removeprefix(b"diff --git ")
    return _path(rest[len(rest) // 2 + 1 :])
