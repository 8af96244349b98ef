"""A person sits at the terminal of a program in a sandbox: keys go there, what it draws comes here."""

import asyncio
import os
import signal
import sys
import termios
import tty
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from app.domain.errors import SwarmError
from app.domain.terminal import RESTORE

if TYPE_CHECKING:
    from app.client.client import Swarm

LEAVE: Final = b"\x1d"
"""ctrl+]"""
_CLEAR: Final = b"\x1b[2J\x1b[H"


class Sitting:
    """From when a person sits down until the person leaves or the program ends."""

    def __init__(self, swarm: "Swarm", run: str) -> None:
        self._swarm = swarm
        self._run = run
        self._typed: asyncio.Queue[bytes] = asyncio.Queue()
        self._left = asyncio.Event()

    async def sit(self) -> bool:
        """Whether the person left; else the program has ended."""
        # A program that is told of a change draws itself anew.
        await self._resize(smaller=1)
        await self._resize()
        loop, keyboard = asyncio.get_running_loop(), sys.stdin.fileno()
        before = termios.tcgetattr(keyboard)
        tty.setraw(keyboard)
        sized = asyncio.Event()
        loop.add_reader(keyboard, self._read, keyboard)
        loop.add_signal_handler(signal.SIGWINCH, sized.set)
        work = (self._draw(), self._left.wait(), self._type(), self._size(sized))
        tasks = [asyncio.create_task(each) for each in work]
        try:
            await asyncio.wait(tasks[:2], return_when=asyncio.FIRST_COMPLETED)
            return self._left.is_set()
        finally:
            loop.remove_reader(keyboard)
            loop.remove_signal_handler(signal.SIGWINCH)
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            _write(RESTORE.encode() + b"\r\n")
            # What the terminal still answers to the program is not for the shell.
            termios.tcsetattr(keyboard, termios.TCSAFLUSH, before)

    def _read(self, keyboard: int) -> None:
        data = os.read(keyboard, 4096)
        before, leave, _ = data.partition(LEAVE)
        if before:
            self._typed.put_nowait(before)
        if leave or not data:
            self._left.set()

    async def _type(self) -> None:
        """In order, and all that has come meanwhile at once."""
        while True:
            data = await self._typed.get()
            while not self._typed.empty():
                data += self._typed.get_nowait()
            with suppress(SwarmError):  # It has ended, which the other side of this says.
                await self._swarm.press(self._run, data)

    async def _draw(self) -> None:
        _write(_CLEAR)
        with suppress(SwarmError):
            async for piece in self._swarm.screen(self._run):
                _write(piece)

    async def _size(self, sized: asyncio.Event) -> None:
        while True:
            await sized.wait()
            sized.clear()
            await self._resize()

    async def _resize(self, *, smaller: int = 0) -> None:
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
        with suppress(SwarmError):
            await self._swarm.resize(self._run, max(2, rows - smaller), max(2, columns))


def _write(data: bytes) -> None:
    """To the terminal, all of it, even where the keyboard's descriptor made it not block."""
    screen = sys.stdout.fileno()
    while data:
        try:
            data = data[os.write(screen, data) :]
        except BlockingIOError:
            os.set_blocking(screen, True)
