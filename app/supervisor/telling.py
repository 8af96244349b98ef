"""A person speaks to an agent at work: kept first, then sent into the turn, or into the next one's prompt."""

import uuid
from collections.abc import Awaitable, Callable, Iterable

import sqlalchemy as sa

from app import wire
from app.domain.errors import NotNow, UsageError
from app.domain.events import Note
from app.domain.ids import RunId
from app.domain.run import ACTIVE, RunState
from app.store import audit, board, tasks, tells
from app.supervisor.services import Services
from harnesses.base import Send, Session
from harnesses.events import MessageTaken

LONGEST = 32_000
"""Characters of what is told at once."""
_HEARING = (ACTIVE - {RunState.MERGING}) | {RunState.PARKED, RunState.FAILED, RunState.CANCELLED}
"""States from which the agent goes on, or can be made to."""


class Telling:
    """Passes on to one running turn what people say. Sent again after a crash; it arrives once."""

    def __init__(
        self,
        s: Services,
        run: RunId,
        session: Session,
        send: Callable[[Iterable[Send]], Awaitable[None]],
    ) -> None:
        self._s = s
        self._run = run
        self._session = session
        self._send = send
        self._sent: set[str] = set()

    async def pass_on(self) -> None:
        for tell in await self._s.database.read(tells.waiting, self._run):
            if tell.id not in self._sent and (lines := self._lines(tell)):
                self._sent.add(tell.id)
                await self._send(lines)

    async def taken(self, event: MessageTaken) -> None:
        await self._s.database.write(tells.take, self._run, (event.id,), self._s.clock())

    def _lines(self, tell: tells.Tell) -> list[Send]:
        """None while the agent cannot take it; should it never, the next turn begins with it."""
        return list(self._session.steer(tell.id, tell.text))


async def tell(s: Services, run: RunId, body: wire.Tell) -> wire.RunRow:
    """Keep what a person says to the agent of a run, and have it passed on."""
    text, now = body.text.strip(), s.clock()
    if not text:
        raise UsageError("there is nothing to tell the agent", hint=f'`swarm tell {run} "…"`')
    if len(text) > LONGEST:
        raise UsageError(
            f"that is {len(text)} characters, and {LONGEST} can be told at once",
            hint="Put it into a file of the run's worktree, and tell the agent to read it.",
        )
    said = tells.Tell(id=str(uuid.uuid4()), run=run, text=text, by=body.by, at=now)

    def write(c: sa.Connection) -> None:
        _refuse_deaf(run, tasks.run(c, run).state)
        tells.add(c, said)
        audit.record(
            c, key=f"tell/{said.id}", what="told", actor=body.by, at=now, run=run, text=text
        )

    await s.database.write(write)
    await s.broker.record(run, f"tell/{said.id}", Note(f"{body.by or 'a person'} says: {text}"))
    s.live.wake(run)
    return await s.database.read(board.row, run)


def _refuse_deaf(run: RunId, state: RunState) -> None:
    if state == RunState.IN_REVIEW:
        raise NotNow(
            f"run {run} has stopped and waits for your review",
            hint=f'Send it back with your words: `swarm changes {run} "…"`.',
        )
    if state not in _HEARING:
        raise NotNow(f"run {run} is {state}; its agent hears nothing any more")
