"""What all screens share: the supervisor, what is known of it, and a clock."""

from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from app import wire
from app.client.client import CaughtUp, Swarm
from app.domain.events import Event
from app.domain.ids import ReviewId, RunId
from app.tui.model.fleet import Fleet
from app.tui.model.inbox import Inbox
from app.tui.model.line import Line
from app.tui.model.transcript import Transcript
from app.tui.syntax import Syntax

TRANSCRIPTS: Final = 12
"""Runs whose logs are held; of the others the supervisor is asked again."""

RECENT: Final = 400
"""Events of all runs that are held."""


@dataclass(slots=True)
class Desk:
    """The only thing handed from screen to screen."""

    swarm: Swarm
    repo: str
    clock: Callable[[], float]
    state_dir: str = ""
    """State directory of the supervisor; empty for the usual one."""
    verbs: tuple[str, ...] = ()
    """What the command line can do, for completion."""
    user: str = ""
    sandbox: str = ""
    """Name of the sandbox driver new runs get."""
    isolation: str = ""
    """What kind of wall it is."""
    link: bool = True
    """Whether the supervisor answers."""
    why: str = ""
    """Why it does not."""
    start: Callable[[], Awaitable[object]] | None = None
    """Starts the supervisor when it is gone; None where that is not this machine's to do."""
    fleet: Fleet = field(default_factory=Fleet)
    recent: deque[Event] = field(default_factory=lambda: deque(maxlen=RECENT))
    """The last events of all runs."""
    viewed: dict[ReviewId, frozenset[str]] = field(default_factory=dict)
    """Files of reviews that the person has ticked off."""
    looked: dict[RunId, list[str]] = field(default_factory=dict)
    """The trees that reviews of the run have shown here, the last one last."""
    messages: dict[RunId, str] = field(default_factory=dict)
    """What the commits of these runs shall say, as far as the person has written it."""
    syntax: Syntax = field(default_factory=Syntax)
    discarded: list[tuple[RunId, ...]] = field(default_factory=list)
    """What the person put into the trash from this screen, what went together together, the last last."""
    look: wire.Look = field(default_factory=wire.Look)
    """What the person's configuration says about the screen."""
    everywhere: bool = False
    """Whether the board lists the tasks of all repositories."""
    inbox: Inbox = field(default_factory=Inbox)
    side_by_side: bool = False
    """Whether diffs are shown in two columns."""
    _transcripts: OrderedDict[RunId, Transcript] = field(default_factory=OrderedDict)
    _held: dict[RunId, list[Event]] = field(default_factory=dict)

    @property
    def of_all(self) -> bool:
        """Whether the board lists the tasks of all repositories; outside one there is no other way."""
        return self.everywhere or not self.repo

    @property
    def gone(self) -> Line:
        """What every screen says while nobody answers; empty while somebody does."""
        if self.link:
            return []
        way = " · R starts it" if self.start is not None else ""
        return [(f" supervisor gone · reconnecting{way} ", "hot")]

    def transcript(self, run: RunId) -> Transcript | None:
        """The log of that run, if it has been read."""
        return self._transcripts.get(run)

    async def read(self, run: RunId) -> Transcript:
        """The log of that run, read from its beginning if need be. What happens meanwhile is not lost."""
        if known := self._transcripts.get(run):
            self._transcripts.move_to_end(run)
            return known
        self._held.setdefault(run, [])
        transcript = Transcript(run)
        try:
            async for item in self.swarm.events(run=run, follow=False):
                if not isinstance(item, CaughtUp):
                    transcript.apply(item)
        finally:
            held = self._held.pop(run, [])
        for event in held:
            transcript.apply(event)
        self._transcripts[run] = transcript
        if len(self._transcripts) > TRANSCRIPTS:
            self._transcripts.popitem(last=False)
        return transcript

    async def look_back(self) -> None:
        """Fill what is recent from before the screen was opened."""
        before = self.fleet.seq
        since = max(0, before - RECENT)
        async for item in self.swarm.events(since=since, follow=False):
            if not isinstance(item, CaughtUp) and item.seq <= before:
                self.recent.append(item)

    def note(self, event: Event) -> bool:
        """Fold one event of the feed into its run's log; says whether a log that is held grew."""
        if event.run not in self.fleet.foreign:
            self.recent.append(event)
        if (held := self._held.get(event.run)) is not None:
            held.append(event)
        transcript = self._transcripts.get(event.run)
        if transcript is None:
            return False
        transcript.apply(event)
        return True
