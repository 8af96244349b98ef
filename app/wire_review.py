"""Bodies of the local API about what of a change shall land."""

from app.domain.base import Value
from app.domain.ids import ReviewId, RunId
from app.domain.run import RunState


class Part(Value, frozen=True, kw_only=True):
    """A part of a change as it is shown: the hunk around a line of the new text, or with 0 the whole file."""

    path: str
    line: int = 0


class Pick(Value, frozen=True, kw_only=True):
    """`POST /v1/runs/{run}/pick`: leave parts of the shown change out of what would land."""

    review: ReviewId
    tree: str
    """What is shown, so that a part is never mistaken for another."""
    leave_out: tuple[Part, ...] = ()
    all: bool = False
    """Take back in what was left out before."""
    by: str = ""


class Overlap(Value, frozen=True, kw_only=True):
    """A live run of another task that changes some of the same files."""

    run: RunId
    agent: str
    state: RunState
    paths: tuple[str, ...]
