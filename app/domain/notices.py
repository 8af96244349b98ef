"""What a person is told who is not looking: which events are worth it, in what words, and when not.

The words are swarm's own. Of what others wrote only the goal is repeated, cleaned and cut: these lines end up in
escape sequences, on desktops and in other people's chats.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final, Literal, TypeAlias

from app.domain.base import Value
from app.domain.events import Asked, Event, Flagged, StateChanged, Warned
from app.domain.ids import RunId, run_name
from app.domain.run import RunState
from app.domain.safe import clean_line

About: TypeAlias = Literal["question", "review", "parked", "failed", "merged", "warning"]
STALE: Final = 3600.0
"""Seconds after which nobody is told any more."""
LONGEST: Final = 80
"""Characters of a goal that are repeated."""

_FOREIGN: Final = str.maketrans({";": ",", "<": "‹", ">": "›", "&": "+"})
"""A semicolon parts the fields of a terminal's notice; desktops and chats read markup and mentions."""
_OF_STATES: Final[dict[RunState, tuple[About, str]]] = {
    RunState.IN_REVIEW: ("review", "is ready for review"),
    RunState.PARKED: ("parked", "is parked and waits for you"),
    RunState.FAILED: ("failed", "has failed"),
    RunState.MERGED: ("merged", "is merged"),
}


class Notice(Value, frozen=True, kw_only=True):
    """One thing that a person may want to know at once."""

    run: RunId
    about: About
    what: str
    """What the run does, without its name: `is ready for review`."""

    def text(self, goal: str = "") -> str:
        """One printable line, without what terminals, desktops and chats read as more than text."""
        said = f"{run_name(self.run)} {self.what}"
        if goal:
            said += f": {clean_line(goal.strip(), LONGEST)}"
        return "".join(char if char.isprintable() else "·" for char in said).translate(_FOREIGN)


def notice_of(event: Event) -> Notice | None:
    """What to tell of an event; None for all that can wait until somebody looks."""
    match event.body:
        case Asked():
            return Notice(run=event.run, about="question", what="asks you something")
        case StateChanged(state=state) if state in _OF_STATES:
            about, what = _OF_STATES[state]
            return Notice(run=event.run, about=about, what=what)
        case Flagged(reaction="notify" | "stop", monitor=monitor):
            what = f"wants a look ({monitor.replace('_', ' ')})"
            return Notice(run=event.run, about="warning", what=what)
        case Warned(percent=percent):
            return Notice(run=event.run, about="warning", what=f"has a budget at {percent}%")
        case _:
            return None


def due(event: Event, *, about: Collection[About], quiet: str, now: float) -> Notice | None:
    """What to tell of an event at this moment: wanted, not in quiet hours, and not long past."""
    notice = notice_of(event)
    if notice is None or notice.about not in about or event.at < now - STALE:
        return None
    return None if quiet_at(quiet, now) else notice


def quiet_at(hours: str, at: float) -> bool:
    """Whether `at` (Unix time), by the local clock, lies in `HH:MM-HH:MM`, which may go past midnight."""
    if not hours:
        return False
    begin, _, end = hours.partition("-")
    now = datetime.fromtimestamp(at).astimezone().strftime("%H:%M")
    return begin <= now < end if begin <= end else now >= begin or now < end
