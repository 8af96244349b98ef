"""Watches what a running turn does for signs that something is wrong with it, and reacts as configured.

It reads the run's log, so after a crash it sees the same again: what it said then is not said twice, and a
question it asked is the same question.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator

from app.domain import events as own
from app.domain.events import Event, Flagged
from app.domain.ids import ApprovalId, turn_start
from app.domain.review import BOX, Approval
from app.domain.run import Run, RunState
from app.store import event_log, reviews
from app.supervisor import asking
from app.supervisor.box import Box
from app.supervisor.services import Services
from harnesses import events as agent
from policies import sights
from policies.monitors import Alarm, Watch
from policies.sights import Seen

LOOK_SECONDS = 5.0
"""How long an answer given elsewhere may go unnoticed."""
REST_SECONDS = 1.0
"""Between two looks at the log: a fleet at full speed costs one short query a run and second."""
_RESTING = (RunState.WAITING, RunState.PARKED)

_log = logging.getLogger(__name__)


class Monitoring:
    """Over one turn of one run."""

    def __init__(self, s: Services, run: Run, turn: int, box: Box) -> None:
        self._s = s
        self._run = run
        self._turn = turn
        self._box = box
        self._settings = s.configuration.settings.monitors
        self._watch = Watch(self._settings.thresholds)

    async def follow(self) -> None:
        """Until it is cancelled, or the agent has been stopped."""
        async with contextlib.aclosing(self._log_of_turn()) as log:
            coming = asyncio.ensure_future(anext(log))
            try:
                while True:
                    await asyncio.wait([coming], timeout=self._patience())
                    alarms: tuple[Alarm | None, ...]
                    if coming.done():
                        alarms = self._see(coming.result())
                        coming = asyncio.ensure_future(anext(log))
                    else:
                        alarms = (self._watch.stalled(self._s.clock()),)
                    for alarm in alarms:
                        if alarm is not None and not await self._react(alarm):
                            return
            finally:
                coming.cancel()
                with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                    await coming

    async def _log_of_turn(self) -> AsyncGenerator[Event, None]:
        read, start = self._s.database.read_log, turn_start(self._turn)
        begin = await read(event_log.number, self._run.id, start)
        async for item in self._s.broker.follow(begin, self._run.id, rest=REST_SECONDS):
            if isinstance(item, Event):
                yield item
        # A supervisor that shuts down lets its followers go; the agent works on.
        await asyncio.Event().wait()

    def _see(self, event: Event) -> tuple[Alarm | None, ...]:
        # A silence that ended while nobody was looking was one all the same.
        stalled = self._watch.stalled(event.at)
        seen = sight(event)
        return (stalled,) if seen is None else (stalled, *self._watch.see(seen))

    def _patience(self) -> float | None:
        due = self._watch.due()
        return None if due is None else max(0.0, due - self._s.clock())

    async def _react(self, alarm: Alarm) -> bool:
        """Whether the turn goes on."""
        reaction = self._settings.reaction(alarm.monitor)
        if reaction == "off":
            return True
        key = f"flagged/turn-{self._turn}/{alarm.monitor}/{alarm.at}"
        await self._s.broker.record(
            self._run.id, key, Flagged(alarm.monitor, alarm.words, reaction)
        )
        match reaction:
            case "note" | "notify":
                return True
            case "pause":
                return await self._pause(alarm)
            case "stop":
                await self._box.stop(self._s, self._run.id, f"stopped by swarm: {_what(alarm)}")
                return False

    async def _pause(self, alarm: Alarm) -> bool:
        if not await self._box.halted_for(alarm.monitor, self._run.id):
            return True
        question = await asking.put(self._s, self._question(alarm))
        while question.answer is None:
            await self._s.live.wait(self._run.id, LOOK_SECONDS)
            question = await self._s.database.read(reviews.approval, question.id)
        if question.answer == "no":
            return False
        await self._box.go_on(alarm.monitor)
        await asking.answered(self._s, self._run, question)
        return True

    def _question(self, alarm: Alarm) -> Approval:
        return Approval(
            id=ApprovalId(""),
            run=self._run.id,
            turn=self._turn,
            request=f"monitor/{alarm.monitor}/{alarm.at}",
            title=f"May it go on? It looks like a {alarm.monitor.replace('_', ' ')}",
            action=BOX,
            detail="yes: it goes on where it is; no: it is stopped, and all it did is kept",
            reason=f"{_what(alarm)} (`monitors.{alarm.monitor}`)",
            opened=self._s.clock(),
        )


def sight(event: Event) -> Seen | None:  # noqa: C901, PLR0911 - a case for each kind
    """The event as monitors see it; None for what says nothing about how the agent fares."""
    at = event.at
    match event.body:
        case agent.ToolCall(id=call, title=title, input=given):
            return sights.Acted(at, call, title, given)
        case agent.ToolCallUpdate(id=call, status="completed", output=output):
            return sights.Returned(at, call, output, failed=False)
        case agent.ToolCallUpdate(id=call, status="failed", output=output):
            return sights.Returned(at, call, output, failed=True)
        case agent.MessageChunk(text=text, message=message, parent=""):
            return sights.Spoke(at, text, message)
        case own.Snapshotted(tree=tree):
            return sights.Changed(at, tree) if tree else None
        case own.Spent(micros=micros):
            return sights.Paid(at, micros)
        case own.UpstreamFailed():
            return sights.Failed(at)
        case own.StateChanged(state=state):
            return sights.Waits(at) if state in _RESTING else sights.GoesOn(at)
        case own.Asked():
            return sights.Waits(at)
        case own.Note() | own.Warned() | own.Flagged() | own.Refused():
            return None
        case _:
            return sights.GoesOn(at)


def _what(alarm: Alarm) -> str:
    return f"{alarm.monitor.replace('_', ' ')}, {alarm.words}"
