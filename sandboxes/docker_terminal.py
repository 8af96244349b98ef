"""The terminal of a program in a container, by way of the engine."""

import contextlib
from collections.abc import AsyncGenerator
from functools import partial
from typing import Final

from sandboxes.docker_engine import BROKEN, Engine, Wire
from sandboxes.errors import SandboxFailed

_NEVER: Final = "ctrl-@,ctrl-_,ctrl-@,ctrl-_"
"""Keys at which the engine would let go; its own (ctrl+p, ctrl+q) are wanted by the program."""


class DockerTerminal:
    """A `Terminal`; one connection for both directions, made when it is first used."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name
        self._wire: Wire | None = None

    async def output(self) -> AsyncGenerator[bytes, None]:
        wire = await self._attach()
        try:
            while piece := await self._engine.thread(wire.piece):
                yield piece
        finally:
            self._wire = None
            self._engine.let_go(wire)

    async def press(self, data: bytes) -> None:
        wire = self._wire
        if wire is not None:
            with contextlib.suppress(*BROKEN):
                await self._engine.thread(partial(wire.write, data))

    async def resize(self, rows: int, columns: int) -> None:
        # The engine refuses it for a program that has ended, and for one that is about to start.
        with contextlib.suppress(SandboxFailed):
            await self._engine.call(
                f"resize the terminal of {self._name}",
                lambda api: api.resize(self._name, height=rows, width=columns),
            )

    async def _attach(self) -> Wire:
        wanted = {"stdin": 1, "stdout": 1, "stream": 1, "logs": 1, "detachKeys": _NEVER}
        self._wire = await self._engine.wire(
            f"attach to the terminal of {self._name}",
            lambda api: api.attach_socket(self._name, params=wanted),
        )
        return self._wire
