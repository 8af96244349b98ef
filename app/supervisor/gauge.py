"""Measures what a run's box takes of the disk: seldom, and at once when the disk as a whole loses room."""

import asyncio
import contextlib
import logging
import os

import sqlalchemy as sa

from app.domain.review import BOX
from app.domain.run import Run
from app.store import reviews
from app.supervisor.services import Services
from app.supervisor.trouble import TROUBLE
from policies.decisions import Ask
from policies.room import RoomFacts, room, step
from sandboxes.base import Sandbox

GLANCE_SECONDS = 1.0
"""Between two looks at how much of the disk is free, which cost nothing."""
LOOK_SECONDS = 30.0
"""Between two measurements at most; the disk as a whole may stay as it is while one box grows."""
BLIND_SECONDS = 5.0
"""The same where the disk is not this host's to look at."""

_log = logging.getLogger(__name__)


class Gauge:
    """Of one box of a run."""

    def __init__(self, s: Services, run: Run, sandbox: Sandbox) -> None:
        self._s = s
        self._run = run
        self._sandbox = sandbox
        self._disk = s.driver(run.sandbox).disk

    async def until_full(self) -> str:
        """Why the run has too little room, as soon as it has."""
        while True:
            facts = await self.measured()
            match None if facts is None else room(facts):
                case Ask(reason=reason):
                    return reason
                case _:
                    await self.quiet(facts)

    async def measured(self) -> RoomFacts | None:
        """None when nothing can be said now."""
        settings = self._s.configuration.settings.sandbox
        try:
            usage = await self._sandbox.usage()
        except TROUBLE as error:
            _log.warning("the disk of %s cannot be measured: %s", self._run.id, error)
            return None
        granted = await self._s.database.read(allowed, self._run, "disk")
        return RoomFacts(
            used=usage.used,
            free=usage.free,
            inodes=usage.inodes,
            limit=settings.disk_bytes * (1 + granted),
            floor=settings.free_disk_bytes,
        )

    async def quiet(self, facts: RoomFacts | None) -> None:
        """Wait until measuring again is worth it."""
        before = self.free()
        if before is None or facts is None:
            await asyncio.sleep(BLIND_SECONDS)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                while before - (self.free() or 0) < step(facts):
                    await asyncio.sleep(GLANCE_SECONDS)

    def free(self) -> int | None:
        """Bytes free, where that can be seen from here."""
        if self._disk is None:
            return None
        found = os.statvfs(self._disk)
        return found.f_bavail * found.f_frsize


def allowed(c: sa.Connection, run: Run, rule: str) -> int:
    """How often the run was let go on past that rule."""
    asked = (each for each in reviews.approvals_of(c, run.id) if each.action == BOX)
    return sum(each.request.startswith(f"{rule}/") and each.answer == "yes" for each in asked)


def memory_words(s: Services) -> str:
    """What to say, and what to do, when memory ran out in a box."""
    limit = s.configuration.settings.sandbox.memory
    return (
        f"out of memory: its sandbox may use {limit}; raise `sandbox.memory` if that is too little"
    )
