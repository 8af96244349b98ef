"""Appends events to the log in batches, and tells those who follow it.

Followers read from the log, not from memory: a slow one only reads later, and nothing is dropped for it.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable

from app.domain.events import Body, Event
from app.domain.ids import RunId
from app.store import event_log
from app.store.database import Database
from app.store.event_log import Entry
from app.store.refusals import PASSING

BATCH_SECONDS = 0.05
PAGE = 500
OTHERS_SECONDS = 1.0
"""How often followers look for what other hosts have appended."""
LONGEST_PAUSE = 10.0
"""Seconds between two attempts to write while the database refuses (disk full, server down)."""

_log = logging.getLogger(__name__)


class Broker:
    """The only writer of the event log on this host; `shared` where there are others."""

    def __init__(
        self, database: Database, clock: Callable[[], float] = time.time, *, shared: bool = False
    ) -> None:
        self._database = database
        self._clock = clock
        self._look_after = OTHERS_SECONDS if shared else None
        self._waiting: list[Entry] = []
        self._posted = 0
        self._on_disk = 0
        self._news_of: dict[str, int] = {}
        """Run to how many events were on disk once its newest was."""
        self._work = asyncio.Event()
        self._news = asyncio.Condition()
        self._released = False
        self._closing = False
        self._writer: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._writer = asyncio.create_task(self._write(), name="event writer")

    def post(self, run: RunId, key: str, body: Body) -> None:
        """Append soon. The same key again adds nothing."""
        self._waiting.append(Entry(run, key, self._clock(), body))
        self._posted += 1
        self._work.set()

    async def record(self, run: RunId, key: str, body: Body) -> None:
        """Append, and return once it is on disk."""
        self.post(run, key, body)
        await self.flush()

    async def flush(self) -> None:
        """Wait until everything posted so far is on disk."""
        goal = self._posted
        async with self._news:
            await self._news.wait_for(lambda: self._on_disk >= goal)

    async def follow(
        self, since: int, run: str = "", *, live: bool = True, rest: float = 0.0
    ) -> AsyncIterator[Event | int]:
        """Events after `since`; once all there are have been given, the number reached, then new ones.

        Who need not know at once says how many seconds it may `rest` between two looks at the log.
        """
        caught_up = False
        while True:
            seen = self._on_disk
            page = await self._database.read_log(event_log.after, since, run=run, limit=PAGE)
            for event in page:
                since = event.seq
                yield event
            if len(page) == PAGE:
                continue
            if not caught_up:
                caught_up = True
                yield since
            if not live or self._released:
                return
            await self._until_more_than(seen, run)
            await asyncio.sleep(rest)

    async def _until_more_than(self, seen: int, run: str) -> None:
        def more() -> bool:
            reached = self._news_of.get(run, 0) if run else self._on_disk
            return reached > seen or self._released

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._look_after), self._news:
                await self._news.wait_for(more)

    async def release(self) -> None:
        """Let the followers go; what is posted is still written."""
        self._released = True
        async with self._news:
            self._news.notify_all()

    async def close(self) -> None:
        """Let the followers go and write what is left. Nobody may post any more."""
        await self.release()
        self._closing = True
        self._work.set()
        if self._writer:
            await self._writer

    async def _write(self) -> None:
        while not self._closing or self._waiting:
            await self._work.wait()
            if not self._closing:
                await asyncio.sleep(BATCH_SECONDS)
            self._work.clear()
            batch, self._waiting = self._waiting, []
            if batch:
                await self._append(batch)

    async def _append(self, batch: list[Entry]) -> None:
        try:
            await self._written(batch)
        except Exception:  # noqa: BLE001 - whatever it is, all that is done waits for this writer
            for entry in batch:
                await self._append_alone(entry)
        async with self._news:
            self._on_disk += len(batch)
            self._news_of.update((entry.run, self._on_disk) for entry in batch)
            self._news.notify_all()

    async def _append_alone(self, entry: Entry) -> None:
        """What cannot be written, as in a damaged file, is no reason to keep the others waiting."""
        try:
            await self._written([entry])
        except Exception:  # noqa: BLE001 - as above
            _log.exception("event log: %s of %s cannot be kept", entry.key, entry.run)

    async def _written(self, batch: list[Entry]) -> None:
        pause = 0.2
        while True:
            try:
                await self._database.write_log(event_log.append, batch)
            except PASSING as error:
                # A full disk or a stopped server is a pause, not a loss: the batch stays in hand.
                why = getattr(error, "orig", error)
                _log.warning("event log: %s; trying again in %.1f s", why, pause)
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE, pause * 2)
            else:
                return
