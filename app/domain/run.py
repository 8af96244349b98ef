"""A run: one attempt at a task by one agent, and the only moves its state may make."""

from enum import StrEnum
from typing import Final

from app.domain.base import Value
from app.domain.ids import RunId, TaskId
from app.domain.money import Micros


class RunState(StrEnum):
    QUEUED = "queued"
    PREPARING = "preparing"
    WORKING = "working"
    WAITING = "waiting"
    """The agent asked something and waits for a person."""
    CHECKING = "checking"
    IN_REVIEW = "in_review"
    MERGING = "merging"
    MERGED = "merged"
    PARKED = "parked"
    """Stopped by its budget or a rate limit; nothing is lost, it can be resumed."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    DISCARDED = "discarded"
    """In the trash; it can be restored."""


_S = RunState
MOVES: Final[dict[RunState, frozenset[RunState]]] = {
    _S.QUEUED: frozenset({_S.PREPARING, _S.WORKING, _S.FAILED, _S.CANCELLED}),
    _S.PREPARING: frozenset({_S.WORKING, _S.FAILED, _S.CANCELLED}),
    _S.WORKING: frozenset(
        {_S.WAITING, _S.CHECKING, _S.IN_REVIEW, _S.PARKED, _S.FAILED, _S.CANCELLED}
    ),
    # An agent may end its turn although its question is open.
    _S.WAITING: frozenset(
        {_S.WORKING, _S.CHECKING, _S.IN_REVIEW, _S.PARKED, _S.FAILED, _S.CANCELLED}
    ),
    _S.CHECKING: frozenset({_S.WORKING, _S.IN_REVIEW, _S.PARKED, _S.FAILED, _S.CANCELLED}),
    _S.IN_REVIEW: frozenset({_S.QUEUED, _S.MERGING, _S.DISCARDED, _S.CANCELLED}),
    _S.MERGING: frozenset({_S.MERGED, _S.IN_REVIEW, _S.FAILED}),
    _S.MERGED: frozenset(),
    _S.PARKED: frozenset({_S.QUEUED, _S.IN_REVIEW, _S.DISCARDED, _S.CANCELLED}),
    _S.FAILED: frozenset({_S.QUEUED, _S.DISCARDED}),
    _S.CANCELLED: frozenset({_S.QUEUED, _S.DISCARDED}),
    _S.DISCARDED: frozenset({_S.IN_REVIEW, _S.PARKED, _S.FAILED, _S.CANCELLED}),
}
"""From each state, where a run may go next."""

ACTIVE: Final = frozenset(
    {_S.QUEUED, _S.PREPARING, _S.WORKING, _S.WAITING, _S.CHECKING, _S.MERGING}
)
"""States in which swarm itself has something to do."""
SETTLED: Final = frozenset({_S.MERGED, _S.FAILED, _S.CANCELLED, _S.DISCARDED})
"""States in which nothing more happens unless a person asks for it."""


def may_move(old: RunState, new: RunState) -> bool:
    return old == new or new in MOVES[old]


class Run(Value, frozen=True, kw_only=True):
    """One attempt at a task."""

    id: RunId
    task: TaskId
    number: int
    """1 for a task's first run."""
    state: RunState
    reason: str = ""
    """Why it is in this state, in words for a person."""
    agent: str
    harness: str
    model: str
    sandbox: str
    """Name of the sandbox driver."""
    image: str = ""
    base: str = ""
    """Commit id the work started from; empty until prepared."""
    branch: str = ""
    """`swarm/<slug>`: the branch the user sees."""
    worktree: str = ""
    """Absolute path of the checkout of that branch."""
    snapshot: str = ""
    """Commit id, in the hub, of the newest vetted snapshot; empty before the first."""
    conversation: str = ""
    """The agent's own conversation id, kept the moment it is seen."""
    port: int = 0
    """The first of the ports that are this run's while it is at work; 0 while it is not."""
    round: int = 1
    """Grows each time a person sends the run back to work, and when its host was lost."""
    host: str = ""
    """The host that keeps it; empty where there is only one, and while it waits for a place."""
    budget: Micros
    spent: Micros = Micros(0)
    files: int = 0
    insertions: int = 0
    deletions: int = 0
    created: float
    started: float | None = None
    ended: float | None = None
