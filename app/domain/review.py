"""A review: a person's look at one exact result, and what was decided."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from app.domain.base import Value
from app.domain.ids import ApprovalId, ReviewId, RunId

RAISE: Final = "raise"
"""The action of a question for a higher limit."""
BOX: Final = "box"
"""The action of a question whether a halted box may go on; no is the end of its run."""
OWN: Final = (RAISE, BOX)
"""What swarm itself asks; the action of an agent's question is one of `policies.requests.ActionKind`."""

FROM_AGENT: Final = "agent/"
"""Before the agent's own id of a question, so that no agent can name one as swarm names its own."""

Scope: TypeAlias = Literal["once", "run", "always"]
"""How far a yes reaches: this question, every such question of the run, or of all runs by a rule of the user's."""

Severity: TypeAlias = Literal["block", "confirm", "warn"]


class Finding(Value, frozen=True, kw_only=True):
    """Something a policy says about a change; shown before the diff."""

    severity: Severity
    path: str
    """Where in the tree; `.` for the change as a whole."""
    rule: str
    why: str
    line: int = 0
    """The first line it is about, counted from 1; 0 when it is about the whole file."""
    fingerprint: str = ""
    """Of a secret: what a person names who lets it through all the same."""


class CheckResult(Value, frozen=True, kw_only=True):
    """How one check ended, run by swarm in a fresh sandbox on the snapshot."""

    command: str
    passed: bool
    code: int | None
    seconds: float
    tail: str = ""
    """The end of its output, at most 8 KiB."""


class FileChange(Value, frozen=True, kw_only=True):
    path: str
    status: Literal["added", "modified", "deleted", "type_changed"]
    insertions: int
    deletions: int
    binary: bool = False


class Verdict(StrEnum):
    APPROVE = "approve"
    CHANGES = "changes"
    DISCARD = "discard"


LandingStyle: TypeAlias = Literal["squash", "merge", "rebase"]
"""One commit on the target; a merge commit, whose second parent is the change on its base; or a commit a turn."""


class TurnCommit(Value, frozen=True, kw_only=True):
    """One commit of a rebase: the work as it stood after a turn, on the target as the review shows it."""

    turn: int
    tree: str
    files: tuple[FileChange, ...]
    """How it differs from the commit before it."""


def subject_of(commits: Sequence[TurnCommit], number: int, message: str) -> str:
    """The first line of what that commit of a rebase says; the last one says the message itself."""
    subject = message.partition("\n")[0].strip()
    if number == len(commits) - 1:
        return subject
    return f"{subject} (turn {commits[number].turn} of {commits[-1].turn})"


class LeftOut(Value, frozen=True, kw_only=True):
    """A part of a change that shall not land."""

    path: str
    hunk: str = ""
    """What tells the hunk from others; empty for the whole file."""


class Review(Value, frozen=True, kw_only=True):
    """What a person is asked to approve: landing `result_tree` on `target`, whose tip is `tip`."""

    id: ReviewId
    run: RunId
    round: int
    base: str
    snapshot: str
    target: str
    tip: str
    """Commit id of the target branch when the review was opened."""
    result_tree: str
    """Tree id of what would be on the target after the merge; empty when there are conflicts."""
    left_out: tuple[LeftOut, ...] = ()
    """Parts of the agent's change that are not in `result_tree`; checks have not seen it without them."""
    conflicts: tuple[str, ...] = ()
    files: tuple[FileChange, ...] = ()
    findings: tuple[Finding, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    opened: float
    verdict: Verdict | None = None
    by: str = ""
    decided: float | None = None
    note: str = ""
    message: str = ""
    """What the commit says, in the words of who approved it; empty for the task's goal."""
    style: LandingStyle = "squash"
    """How it lands, once it is approved."""
    commits: tuple[TurnCommit, ...] = ()
    """What was approved to land as a rebase, oldest first; the last has `result_tree`."""
    merged: str = ""
    """Commit id on the target once it landed."""

    @property
    def without(self) -> str:
        """What was left out, in words; empty when everything is in it."""
        whole = [part.path for part in self.left_out if not part.hunk]
        hunks = [part.path for part in self.left_out if part.hunk]
        words = [*whole, *(f"{hunks.count(path)} of {path}" for path in dict.fromkeys(hunks))]
        return ", ".join(words)


def lines_of(path: str, first: int, last: int) -> str:
    """`src/io.py:42-47`; one line alone as `src/io.py:42`."""
    return f"{path}:{first}-{last}" if last > first else f"{path}:{first}"


class Comment(Value, frozen=True, kw_only=True):
    """A remark of the reviewer on lines; sent to the agent with the verdict `changes`."""

    run: RunId
    number: int
    path: str
    line: int
    last: int = 0
    """The last line it is on; 0 where that is `line`."""
    text: str
    by: str
    at: float
    sent: bool = False

    @property
    def where(self) -> str:
        """`src/io.py:42`, or `src/io.py:42-47`."""
        return lines_of(self.path, self.line, self.last)


class Approval(Value, frozen=True, kw_only=True):
    """A question to a person, answered exactly once."""

    id: ApprovalId
    run: RunId
    turn: int
    """0 when the program that asked is gone: the question waits to be asked again."""
    request: str
    """What it is known by in its turn: the agent's own id of it after `FROM_AGENT`, or swarm's."""
    title: str
    action: str
    """What kind of action it is: one of `OWN`, or of `policies.requests.ActionKind`."""
    tool: str = ""
    """The tool's name in the agent's own words."""
    detail: str = ""
    """The command line, or the tool's input as the agent gave it."""
    paths: tuple[str, ...] = ()
    reason: str = ""
    """Why the policy wants a person to decide."""
    opened: float
    answer: Literal["yes", "no"] | None = None
    by: str = ""
    answered: float | None = None
    note: str = ""
    scope: Scope = "once"
    heard: float | None = None
    """When the agent was given the answer."""
    deadline: float | None = None
    """When it is answered with no by itself; None when it waits for ever."""

    @property
    def own(self) -> bool:
        """Whether swarm itself asks, and not an agent."""
        return self.action in OWN
