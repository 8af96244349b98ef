"""The terminal of a run that a person works in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from app.domain.terminal import Drawing, words_of
from sandboxes.base import Terminal

KEPT: Final = 256 * 1024
"""Bytes of a screen's past that somebody gets who comes later."""
_BEHIND: Final = 512
"""Pieces a looker may be behind before it is let go."""


class Screen:
    """What stands there, for any number of lookers."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._past = bytearray()
        self._lookers: set[asyncio.Queue[bytes]] = set()

    async def follow(self) -> None:
        """Pass on what the program draws, until it ends."""
        drawing = Drawing()
        try:
            async for piece in self._terminal.output():
                self._pass_on(drawing.feed(piece))
        finally:
            for looker in self._lookers:
                _last(looker)

    async def watch(self) -> AsyncIterator[bytes]:
        """What stands there, and then what comes."""
        looker: asyncio.Queue[bytes] = asyncio.Queue(_BEHIND)
        self._lookers.add(looker)
        try:
            if self._past:
                yield bytes(self._past)
            while piece := await looker.get():
                yield piece
        finally:
            self._lookers.discard(looker)

    @property
    def words(self) -> str:
        """The last words on it."""
        return words_of(bytes(self._past[-4096:]))[-300:]

    async def press(self, data: bytes) -> None:
        await self._terminal.press(data)

    async def resize(self, rows: int, columns: int) -> None:
        await self._terminal.resize(rows, columns)

    def _pass_on(self, piece: bytes) -> None:
        if not piece:
            return
        self._past += piece
        del self._past[:-KEPT]
        for looker in self._lookers:
            try:
                looker.put_nowait(piece)
            except asyncio.QueueFull:
                _last(looker)


def _last(looker: asyncio.Queue[bytes]) -> None:
    """Nothing more comes; should it be too far behind, that replaces something it has not seen."""
    with suppress(asyncio.QueueEmpty):
        if looker.full():
            looker.get_nowait()
    looker.put_nowait(b"")
