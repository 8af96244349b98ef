"""Follows the supervisor's stream in bulk, and tells the screens at most so often."""

import asyncio
from collections.abc import Callable
from typing import Final

from textual.message import Message

from app.client.client import CaughtUp
from app.domain.errors import SwarmError
from app.domain.events import Event, Snapshotted
from app.domain.ids import RunId
from app.domain.notices import due
from app.tui.desk import Desk
from app.tui.messages import (
    FleetChanged,
    InboxChanged,
    LinkChanged,
    LogGrew,
    Noticed,
    TreeChanged,
)

BEAT: Final = 0.1
"""Seconds between two repaints of a log: ten a second."""
FLOOD: Final = 40
"""Events of one beat from which on nobody reads them line by line."""
FLOODED: Final = 0.25
"""Seconds between two repaints of a log in a flood: four a second cost half of what ten do."""
BOARD: Final = 0.3
"""Seconds between two repaints of the board: about three a second."""
RETRY: Final = 1.0
"""Seconds until the board is asked for again when nobody answered."""


class Feed:
    """One reader of one stream. Nothing runs while nothing happens."""

    def __init__(self, desk: Desk, tell: Callable[[Message], None]) -> None:
        self.desk = desk
        self.tell = tell
        self._waiting: list[Event] = []
        self._arrived = asyncio.Event()
        self._beat = BEAT
        self._since_board = 0.0
        self._fleet_changed = False

    async def run(self) -> None:
        """Read and tell, for ever."""
        if not self.desk.fleet.loaded:
            await self._load()
        try:
            await self.desk.look_back()
        except SwarmError as error:
            self._linked(up=False, why=error.message)
        self.tell(FleetChanged())
        reader = asyncio.create_task(self._read())
        try:
            while True:
                await self._arrived.wait()
                await asyncio.sleep(self._beat)
                await self.flush()
        finally:
            reader.cancel()

    async def refresh(self) -> None:
        """Ask for the whole board now."""
        self.desk.fleet.stale = self._fleet_changed = True
        self._arrived.set()

    async def flush(self) -> None:
        """Fold in what has arrived, then tell."""
        events, self._waiting = self._waiting, []
        self._arrived.clear()
        grown, changed = self._fold(events)
        self._since_board += self._beat
        self._beat = FLOODED if len(events) >= FLOOD else BEAT
        if events:
            self.tell(LogGrew(frozenset(grown)))
        if changed:
            self.tell(TreeChanged(frozenset(changed)))
        if self._fleet_changed and self._since_board < BOARD:
            self._arrived.set()
            return
        self._since_board = 0.0
        if self.desk.fleet.stale:
            await self._load()
        elif self._fleet_changed:
            self.tell(FleetChanged())
        self._fleet_changed = False

    def _fold(self, events: list[Event]) -> tuple[set[RunId], set[RunId]]:
        grown: set[RunId] = set()
        changed: set[RunId] = set()
        asked, notices = False, []
        look, now = self.desk.look, self.desk.clock()
        for event in events:
            if notice := due(event, about=look.about, quiet=look.quiet, now=now):
                notices.append(notice)
            asked |= self.desk.inbox.apply(event)
            self._fleet_changed |= self.desk.fleet.apply(event)
            if self.desk.note(event):
                grown.add(event.run)
            if isinstance(event.body, Snapshotted):
                changed.add(event.run)
        self._fleet_changed |= self.desk.fleet.stale
        if asked:
            self.tell(InboxChanged())
        if notices:
            self.tell(Noticed(tuple(notices)))
        return grown, changed

    async def _read(self) -> None:
        async for item in self.desk.swarm.follow(since=self.desk.fleet.seq):
            if isinstance(item, Event):
                self._waiting.append(item)
                self._arrived.set()
            elif isinstance(item, CaughtUp) or item.state == "up":
                await self._back()
            else:
                self._linked(up=False, why=item.why)

    async def _back(self) -> None:
        """After a gap the board may differ in ways no event tells, for example in which runs there are."""
        if not self.desk.link:
            self._linked(up=True)
            self.desk.inbox.stale = True
            self.tell(InboxChanged())
            await self.refresh()

    def _linked(self, *, up: bool, why: str = "") -> None:
        if up == self.desk.link:
            return
        self.desk.link, self.desk.why = up, why
        self.tell(LinkChanged())

    async def _load(self) -> None:
        """The whole board; while nobody answers, what there is stays."""
        while True:
            try:
                board = await self.desk.swarm.board("" if self.desk.everywhere else self.desk.repo)
            except SwarmError as error:
                self._linked(up=False, why=error.message)
                if self.desk.fleet.loaded:
                    return
                await asyncio.sleep(RETRY)
                continue
            self.desk.fleet.load(board)
            self._linked(up=True)
            self.tell(FleetChanged())
            return
