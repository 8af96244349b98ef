"""Few agents start at a time: sixteen that start together make each other wait, and none of them works."""

import asyncio
import os
from typing import Final

from app.domain.ids import RunId

PLACES: Final = (os.cpu_count() or 1) + 1
SILENCE_SECONDS: Final = 20.0
"""A start that takes longer, a silent agent or a long set-up, does not hold the others up."""


class Ramp:
    """Places for runs that start: while their tree is laid, and until their agent has said its first word."""

    def __init__(self, places: int = PLACES, silence: float = SILENCE_SECONDS) -> None:
        self._free = asyncio.Semaphore(places)
        self._silence = silence
        self._inside: dict[RunId, asyncio.TimerHandle] = {}

    async def enter(self, run: RunId) -> None:
        """Wait for a place, first come, first served; at once for a run that has one."""
        if run in self._inside:
            return
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        self._inside[run] = loop.call_later(self._silence, self.leave, run)

    def leave(self, run: RunId) -> None:
        """Give the run's place to the next; nothing when it has none."""
        timer = self._inside.pop(run, None)
        if timer is not None:
            timer.cancel()
            self._free.release()
