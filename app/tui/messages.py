"""What the feed tells the screens. News, not data: the data lies on the desk."""

from dataclasses import dataclass

from textual.message import Message

from app.domain.ids import RunId, TaskId
from app.domain.notices import Notice


class FleetChanged(Message, bubble=False):
    """Rows, counts or spend differ from what was drawn."""


class InboxChanged(Message, bubble=False):
    """Questions were asked or answered, in whatever repository."""


@dataclass
class LogGrew(Message, bubble=False):
    """There are new entries in the transcripts of these runs."""

    runs: frozenset[RunId]


@dataclass
class TreeChanged(Message, bubble=False):
    """These runs have a newer snapshot: a diff shown of them is old."""

    runs: frozenset[RunId]


@dataclass
class Noticed(Message, bubble=False):
    """Things happened that a person wants to hear of; for the application, not for its screens."""

    notices: tuple[Notice, ...]


class LinkChanged(Message, bubble=False):
    """The supervisor is there, or gone."""


@dataclass
class Open(Message):
    """Somebody wants to see this task's run; `instead` takes the place of the screen that asks."""

    task: TaskId
    instead: bool = False


class Refresh(Message):
    """Somebody wants the board from the supervisor, now."""
