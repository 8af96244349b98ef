"""What every meter reads with: a reply in whatever pieces it comes, its lines, and sane numbers. No I/O."""

from typing import Annotated, Final, TypeAlias

import msgspec

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
"""Tokens as a provider tells them; what is no such number is not believed, so the whole hold is charged."""

LINE_LIMIT: Final = 8 * 1024**2
"""Bytes a line may have to be read at all; what says the usage is far shorter."""
_BODY_LIMIT: Final = 64 * 1024**2
"""Bytes of a whole reply that are kept; one that is longer cannot be read, so the whole hold is charged."""


class Lines:
    """Feed it every byte; a line that is too long is forgotten, not kept."""

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that the next bytes complete, without their ends."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if self._skipping and lines:
            del lines[0]
            self._skipping = False
        if len(self._rest) > LINE_LIMIT:
            self._rest, self._skipping = b"", True
        return lines

    def end(self) -> list[bytes]:
        """What was left without an end of its own."""
        rest, self._rest = self._rest, b""
        return [] if self._skipping or not rest else [rest]


class Reading:
    """The reading of one reply: feed it every byte, then end it. What the bytes mean is a dialect's to say."""

    def __init__(self, *, streamed: bool) -> None:
        self._streamed = streamed
        self._lines = Lines()
        self._body = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the reply."""
        if self._streamed:
            for line in self._lines.feed(data):
                self._line(line)
        elif len(self._body) <= _BODY_LIMIT:
            self._body += data

    def end(self) -> None:
        """The reply ended as its protocol says it should."""
        for line in self._lines.end():
            self._line(line)
        if not self._streamed:
            self._whole(self._body)

    def _line(self, line: bytes) -> None:
        """A line of a stream."""
        raise NotImplementedError

    def _whole(self, body: bytes) -> None:
        """A reply that is not streamed."""
        raise NotImplementedError


def data_of(line: bytes) -> bytes:
    """What follows `data:`; empty for any other line."""
    return line[5:].strip() if line.startswith(b"data:") else b""
