"""Tends one running turn: its events into the log, its questions to the rules or a person, stop when told to."""

import asyncio
import contextlib
from collections.abc import Iterable

from app.config.values import seconds
from app.domain.ids import ApprovalId, turn_name
from app.domain.review import FROM_AGENT, Approval
from app.domain.run import Run
from app.domain.task import Task
from app.store import event_log, ledger, reviews, tasks
from app.store.turns import Turn
from app.supervisor import asking, rules
from app.supervisor.activity import activity_of
from app.supervisor.box import Box
from app.supervisor.monitoring import Monitoring
from app.supervisor.overtime import Overtime
from app.supervisor.room import RoomWatch
from app.supervisor.services import Services
from app.supervisor.snapshots import LiveDiff
from app.supervisor.telling import Telling
from harnesses.base import Send, Session
from harnesses.converse import converse
from harnesses.events import (
    AgentEvent,
    MessageTaken,
    PermissionAsked,
    SessionStarted,
    ToolCall,
    ToolCallUpdate,
    TurnEnded,
)
from policies.decisions import Allow, Ask, Deny

LAST_WORDS_SECONDS = 1.0
"""How long an agent whose budget is used up has to end by itself, and again when it is told to."""
LOOK_SECONDS = 5.0
"""How long a decision may go unnoticed at most; usually a wake-up call comes at once."""


class Tending:
    """One turn of one run, while this supervisor lives. Nothing in here is needed after a crash."""

    def __init__(
        self, s: Services, task: Task, run: Run, turn: Turn, session: Session, box: Box
    ) -> None:
        self._s = s
        self._run = run
        self._turn = turn
        self._session = session
        self._box = box
        self._process = box.process
        self._room = RoomWatch(s, run, turn.number, box)
        self._monitoring = Monitoring(s, run, turn.number, box)
        self._overtime = Overtime(s, run, turn.number, box)
        self._task = task
        self._open: set[ApprovalId] = set()
        self._diff = LiveDiff(s, run.id)
        self._told_at = 0.0
        self._afresh = True
        """Whether what is read now was not read by a supervisor before this one."""
        self._telling = Telling(s, run.id, session, self._send)

    async def follow(self) -> TurnEnded | None:
        """Until the agent says that its turn is over, or its output ends without a word."""
        work = (
            self._decisions(),
            self._diff.follow(),
            self._room.follow(),
            self._monitoring.follow(),
            self._overtime.follow(),
        )
        helpers = [asyncio.create_task(each) for each in work]
        listening = asyncio.create_task(self._listen())
        try:
            await asyncio.wait([listening, *helpers], return_when=asyncio.FIRST_COMPLETED)
            for helper in helpers:
                if helper.done():
                    helper.result()
            return await listening
        finally:
            for each in (listening, *helpers):
                each.cancel()
            await asyncio.gather(listening, *helpers, return_exceptions=True)

    async def _listen(self) -> TurnEnded | None:
        number, read = self._turn.number, self._s.database.read_log
        turn = turn_name(number)
        known = await read(event_log.read_until, self._run.id, number)
        async with contextlib.aclosing(converse(self._session, self._process)) as said:
            async for line, index, event in said:
                self._s.live.ramp.leave(self._run.id)
                self._s.broker.post(self._run.id, f"{turn}/{line.pos}.{index}", event)
                self._afresh = line.pos > known
                await self._take(event)
                if isinstance(event, TurnEnded):
                    return event
        return None

    async def _take(self, event: AgentEvent) -> None:
        match event:
            case SessionStarted(conversation=conversation):
                await self._s.database.write(tasks.update, self._run.id, conversation=conversation)
            case PermissionAsked():
                await self._question(event)
            case MessageTaken():
                await self._telling.taken(event)
            case ToolCall():
                await self._tell(event)
            case ToolCallUpdate(status="completed"):
                self._diff.changed()
            case _:
                await self._tell(event)

    async def _tell(self, event: AgentEvent) -> None:
        """Keep what the agent does in the run's row, at most once a second."""
        did, now = activity_of(event), self._s.clock()
        if self._afresh and did and now - self._told_at >= 1.0:
            self._told_at = now
            await self._s.database.write(tasks.update, self._run.id, activity=did, activity_at=now)

    async def _question(self, asked: PermissionAsked) -> None:
        match await rules.judged(self._s, self._task, self._run, asked):
            case Allow():
                await self._send(self._session.answer(asked.id, allow=True))
            case Deny(reason=reason):
                await self._send(self._session.answer(asked.id, allow=False, note=reason))
            case Ask(reason=reason):
                await self._ask(asked, reason)

    async def _ask(self, asked: PermissionAsked, reason: str) -> None:
        question = Approval(
            id=ApprovalId(""),
            run=self._run.id,
            turn=self._turn.number,
            request=FROM_AGENT + asked.id,
            title=asked.title,
            action=asked.tool,
            tool=asked.name,
            detail=asked.command or asked.input,
            paths=asked.paths,
            reason=reason,
            opened=self._s.clock(),
            deadline=self._deadline(),
        )
        stored = await asking.put(self._s, question)
        if stored.answer is not None:
            await self._pass_on(stored)
            return
        self._open.add(stored.id)

    def _deadline(self) -> float | None:
        within = self._s.configuration.settings.answer_within
        return None if within is None else self._s.clock() + seconds(within)

    async def _decisions(self) -> None:
        """Pass a person's answers on, and stop when one wants it."""
        while True:
            wish: str = await self._s.database.read(tasks.column, self._run.id, "wish")
            if wish.startswith("stop:"):
                if self._box.halted:
                    # To be asked to end, it would have to go on writing.
                    await self._process.stop(grace=0)
                    return
                await self._send(self._session.interrupt())
                await self._process.stop()
                return
            if await self._refused():
                # It was told in its own dialect; what does not end by itself is ended.
                await asyncio.sleep(LAST_WORDS_SECONDS)
                await self._send(self._session.interrupt())
                await self._process.stop(grace=LAST_WORDS_SECONDS)
                return
            for question in sorted(self._open):
                answered = await self._s.database.read(reviews.approval, question)
                if answered.answer is not None:
                    await self._pass_on(answered)
            await self._telling.pass_on()
            await self._s.live.wait(self._run.id, LOOK_SECONDS)

    async def _refused(self) -> bool:
        """Whether the turn has hit a limit, of money, tokens, calls or time: nothing more can come of it."""
        since = self._turn.began
        return await self._s.database.read(ledger.over_budget, self._run.id, since=since)

    async def _pass_on(self, answered: Approval) -> None:
        allow = answered.answer == "yes"
        request = answered.request.removeprefix(FROM_AGENT)
        # First the state: with the answer the agent may be done, and this is cancelled.
        await asking.answered(self._s, self._run, answered)
        await self._send(self._session.answer(request, allow=allow, note=answered.note))
        await self._s.database.write(reviews.heard, answered.id, at=self._s.clock())
        self._open.discard(answered.id)

    async def _send(self, replies: Iterable[Send]) -> None:
        for reply in replies:
            await self._process.send(reply.line)
