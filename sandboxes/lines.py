"""Cuts what a program writes into lines; pure, shared by all drivers."""

from collections.abc import Iterator

from sandboxes.spec import MAX_LINE, Exit, ExitReason, Line

STDERR_TAIL = 8 * 1024
"""Bytes of standard error kept for `Exit` and `Completed`."""

_MAX_BYTES = 4 * MAX_LINE
"""A character takes at most four bytes, so no more are needed to fill a line."""


class LineCutter:
    """Bytes in, lines out. A line's position is the offset just past its end."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._offset = 0

    def feed(self, data: bytes) -> Iterator[Line]:
        """Lines that this piece completes."""
        *ended, rest = data.split(b"\n")
        for piece in ended:
            self._offset += len(piece) + 1
            self._keep(piece)
            yield self._cut()
        self._offset += len(rest)
        self._keep(rest)

    def end(self) -> Iterator[Line]:
        """The last line, when the output ended without an end of line."""
        if self._kept:
            yield self._cut()

    def _keep(self, piece: bytes) -> None:
        self._kept += piece[: _MAX_BYTES - len(self._kept)]

    def _cut(self) -> Line:
        line = Line(pos=self._offset, text=text_of(bytes(self._kept)))
        self._kept.clear()
        return line


def text_of(data: bytes) -> str:
    """The text of one line, whatever bytes it has, cut at `MAX_LINE`."""
    return data[:_MAX_BYTES].decode("utf-8", "replace")[:MAX_LINE]


def tail_of(data: bytes) -> str:
    """The end of standard error as text."""
    return data[-STDERR_TAIL:].decode("utf-8", "replace")


def exit_of(code: int, stderr: str = "", *, starved: bool = False) -> Exit:
    """How a program with this exit code ended; codes above 128 are signals, as a shell says it."""
    if starved and code != 0:
        return Exit(code=code, reason="oom", stderr=stderr, starved=True)
    signalled = 128 < code <= 128 + 64
    reason: ExitReason = "killed" if signalled else "exited"
    return Exit(code=code, reason=reason, stderr=stderr, starved=starved)
