"""The box of a running turn: its sandbox, the agent's process in it, and why it stands still when it does."""

import logging
from dataclasses import dataclass, field

from app.domain.ids import RunId
from app.store import tasks
from app.supervisor.services import Services
from app.supervisor.trouble import TROUBLE
from sandboxes.base import Process, Sandbox

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Box:
    """Halted for one reason and another, it goes on when none is left."""

    sandbox: Sandbox
    process: Process
    _reasons: set[str] = field(default_factory=set)

    @property
    def halted(self) -> bool:
        """Whether it stands still."""
        return bool(self._reasons)

    async def halt(self, reason: str) -> None:
        """Stop every program where it is; nothing of it is lost."""
        await self.sandbox.pause()
        self._reasons.add(reason)

    async def halted_for(self, reason: str, run: RunId) -> bool:
        """Halt it; False, with a word in the supervisor's log, when the engine would not."""
        try:
            await self.halt(reason)
        except TROUBLE as error:
            _log.warning("the box of %s cannot be halted: %s", run, error)
            return False
        return True

    async def go_on(self, reason: str) -> None:
        """That reason is gone."""
        self._reasons.discard(reason)
        if not self._reasons:
            await self.sandbox.go_on()

    async def stop(self, s: Services, run: RunId, why: str) -> None:
        """End a halted agent for good: not one more step, not even to be asked to end."""
        await s.database.write(tasks.update, run, wish=f"stop:{why}")
        s.live.wake(run)
        await self.process.stop(grace=0)
