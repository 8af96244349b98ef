"""Colours for source text, asked of a process beside the screen: what is known at once, the rest when it comes."""

import asyncio
import contextlib
import json
import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from app.tui.model.diff_lines import Layer

Layers: TypeAlias = Sequence[Layer]
"""One layer a line."""

PATIENCE: Final = 5.0
"""Seconds for one answer; whatever takes longer stays without colours."""
ENDS: Final = 3
"""So often the process may be ended, or end by itself, before nothing is coloured any more."""
KNOWN: Final = 512
"""Pieces of text whose colours are held."""
WAITING: Final = 64
"""Pieces asked for; older wishes are for what is no longer seen."""
LONGEST: Final = 400
"""Characters of a line; minified text stays plain."""
_LIMIT: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines of a diff of one file."""

    path: str
    signs: str
    texts: tuple[str, ...]

    def question(self) -> bytes:
        asked = {"path": self.path, "signs": self.signs, "texts": self.texts}
        return json.dumps(asked).encode() + b"\n"


class Syntax:
    """Ask it while drawing."""

    def __init__(self) -> None:
        self._known: OrderedDict[Piece, Layers] = OrderedDict()
        self._wanted: OrderedDict[Piece, Callable[[], None]] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._ends = 0

    def layers(self, piece: Piece, then: Callable[[], None]) -> Layers:
        """The colours, if they are known; if not they are asked for, and `then` is called when they are there."""
        known = self._known.get(piece)
        if known is not None:
            self._known.move_to_end(piece)
            return known
        if self._ends >= ENDS or any(len(text) > LONGEST for text in piece.texts):
            return ()
        self._wanted[piece] = then
        self._wanted.move_to_end(piece)
        if len(self._wanted) > WAITING:
            self._wanted.popitem(last=False)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())
        return ()

    @property
    def busy(self) -> bool:
        """Whether anything is asked for."""
        return bool(self._wanted)

    async def close(self) -> None:
        """End the process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._end()

    async def _work(self) -> None:
        while self._wanted and self._ends < ENDS:
            piece, then = self._wanted.popitem()
            self._known[piece] = await self._ask(piece)
            if len(self._known) > KNOWN:
                self._known.popitem(last=False)
            then()

    async def _ask(self, piece: Piece) -> Layers:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._answer(piece)
        except (TimeoutError, OSError, ValueError):
            # Too slow, gone, or beside itself: this text stays plain, the next gets a fresh process.
            self._ends += 1
            await self._end()
            return ()

    async def _answer(self, piece: Piece) -> Layers:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                # -P: the repository is the working directory, and may have an `app` of its own.
                *(sys.executable, "-P", "-m", "app.tui.colouring"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=_LIMIT,
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(piece.question())
        await process.stdin.drain()
        line = await process.stdout.readline()
        if not line:
            raise ConnectionResetError
        return tuple(
            tuple((start, end, ink) for start, end, ink in row) for row in json.loads(line)
        )

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
