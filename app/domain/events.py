"""Facts of a run's log: what the agent said and what swarm did, numbered over all runs."""

from typing import Literal, TypeAlias

import msgspec

from app.domain.budget import Unit, amount
from app.domain.ids import ApprovalId, ReviewId, RunId
from app.domain.money import Known
from app.domain.review import CheckResult, Finding, Verdict
from app.domain.run import RunState
from harnesses import events as agent
from policies.monitors import Monitor, Reaction


class Lifecycle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """The frozen base of swarm's own events."""


class StateChanged(Lifecycle, frozen=True, tag="state"):
    state: RunState
    reason: str = ""


class TurnStarted(Lifecycle, frozen=True, tag="turn_started"):
    turn: int
    prompt: str


class Snapshotted(Lifecycle, frozen=True, tag="snapshot"):
    """A vetted snapshot of the agent's tree exists; branch and worktree show it."""

    commit: str
    files: int
    insertions: int
    deletions: int
    findings: tuple[Finding, ...] = ()
    left_out: tuple[str, ...] = ()
    """Paths that are in the tree but not in the snapshot: too large, unreadable."""
    tree: str = ""
    """Id of the tree: the same again when everything is as it was before."""


class Checked(Lifecycle, frozen=True, tag="checked"):
    turn: int
    result: CheckResult


class SetUp(Lifecycle, frozen=True, tag="setup"):
    """A command that makes a sandbox ready, or that leaves it, has ended."""

    result: CheckResult
    phase: Literal["setup", "teardown"] = "setup"


class Spent(Lifecycle, frozen=True, tag="spent"):
    """A model call was settled by the gateway."""

    micros: int
    total: int
    """Micro-dollars of the run so far, this call included."""
    model: str
    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    known: Known = "metered"
    """`held`: the usage never arrived, so the whole reservation was charged."""
    day: int = 0
    """Micro-dollars of everybody on the day of the call, this call included; 0 in logs of earlier versions."""
    listed: int | None = None
    """Micro-dollars by the price list, where the provider named the cost itself."""


class Refused(Lifecycle, frozen=True, tag="refused"):
    """The gateway refused a model call."""

    why: str
    status: int
    budget: bool
    """Whether the run's budget was the reason."""


class Warned(Lifecycle, frozen=True, tag="warned"):
    """A budget has come near its limit; said once for each threshold."""

    of: str
    """What the budget is of, in words: `this run`, `the day`."""
    percent: int
    spent: int
    cap: int
    unit: Unit = "money"
    """Of `spent` and `cap`: micro-dollars, tokens, or seconds."""

    def words(self) -> str:
        """For people."""
        what = "time" if self.unit == "time" else "budget"
        spent, cap = amount(self.spent, self.unit), amount(self.cap, self.unit)
        return f"{self.percent}% of the {what} of {self.of} is spent: {spent} of {cap}"


class UpstreamFailed(Lifecycle, frozen=True, tag="upstream_failed"):
    """A model API refused a call, or did not answer."""

    upstream: str
    status: int
    """HTTP status; 0 when there was no connection."""
    again: float | None = None
    """Seconds until the gateway tries again; None when the agent has been told."""

    def words(self) -> str:
        """For people."""
        how = f"answered {self.status}" if self.status else "cannot be reached"
        then = "the agent is told" if self.again is None else f"again in {self.again:.0f} s"
        return f"the model API {self.upstream!r} {how}; {then}"


class Flagged(Lifecycle, frozen=True, tag="flagged"):
    """A monitor found that something may be wrong with the run."""

    monitor: Monitor
    text: str
    reaction: Reaction

    def words(self) -> str:
        """For people."""
        return f"{self.monitor.replace('_', ' ')}: {self.text}"


class Asked(Lifecycle, frozen=True, tag="asked"):
    """A question stands in the inbox."""

    approval: ApprovalId
    title: str


class Answered(Lifecycle, frozen=True, tag="answered"):
    approval: ApprovalId
    answer: Literal["yes", "no"]
    by: str


class ReviewOpened(Lifecycle, frozen=True, tag="review_opened"):
    review: ReviewId
    tree: str
    conflicts: tuple[str, ...] = ()


class Decided(Lifecycle, frozen=True, tag="decided"):
    review: ReviewId
    verdict: Verdict
    by: str


class Merged(Lifecycle, frozen=True, tag="merged"):
    review: ReviewId
    commit: str
    target: str


class Note(Lifecycle, frozen=True, tag="note"):
    """Something a person should know, in words."""

    text: str
    level: Literal["info", "warning", "error"] = "info"


LifecycleEvent: TypeAlias = (
    StateChanged
    | TurnStarted
    | Snapshotted
    | Checked
    | SetUp
    | Spent
    | Refused
    | Warned
    | UpstreamFailed
    | Flagged
    | Asked
    | Answered
    | ReviewOpened
    | Decided
    | Merged
    | Note
)

Body: TypeAlias = (
    agent.SessionStarted
    | agent.MessageChunk
    | agent.ThoughtChunk
    | agent.ToolCall
    | agent.ToolCallUpdate
    | agent.PlanUpdated
    | agent.PermissionAsked
    | agent.MessageTaken
    | agent.UsageReported
    | agent.TurnEnded
    | agent.Unreadable
    | StateChanged
    | TurnStarted
    | Snapshotted
    | Checked
    | SetUp
    | Spent
    | Refused
    | Warned
    | UpstreamFailed
    | Flagged
    | Asked
    | Answered
    | ReviewOpened
    | Decided
    | Merged
    | Note
)
"""Everything that can stand in a log: `AgentEvent` and `LifecycleEvent` together."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered fact. `seq` grows over all runs of a supervisor, so one number resumes any stream."""

    seq: int
    run: RunId
    at: float
    """Unix time, seconds."""
    body: Body
