"""What is seen of a run at work, as far as monitors care."""

from typing import TypeAlias

import msgspec


class Sight(msgspec.Struct, frozen=True):
    """The frozen base of what is seen of a run; `at` is unix time, seconds."""

    at: float


class Acted(Sight, frozen=True):
    """A tool is used."""

    id: str
    action: str
    """For a person: the tool, and what it is used for."""
    given: str = ""
    """All of its input: with it alike, two uses are the same."""


class Returned(Sight, frozen=True):
    """A tool gave its result."""

    id: str
    output: str
    failed: bool


class Spoke(Sight, frozen=True):
    """A piece of a message; pieces with one `message` belong together."""

    text: str
    message: str


class Changed(Sight, frozen=True):
    """The tree is another one than it was."""

    tree: str


class Paid(Sight, frozen=True):
    """A model call was paid for."""

    micros: int


class Failed(Sight, frozen=True):
    """A model API refused a call, or did not answer."""


class Waits(Sight, frozen=True):
    """The run waits for a person, for money or for a time, which is nobody's fault."""


class GoesOn(Sight, frozen=True):
    """It works again, or anything else happened that shows it is alive."""


Seen: TypeAlias = Acted | Returned | Spoke | Changed | Paid | Failed | Waits | GoesOn
