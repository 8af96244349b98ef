"""Bodies of the local API that are not domain nouns, and the protocol's version.

JSON over HTTP on a unix socket, so that curl and other tools work too; shapes are these structs.
"""

import msgspec

from app.domain.base import Value
from app.domain.cassette import Cassette
from app.domain.ids import ReviewId, RunId
from app.domain.image import OwnImage
from app.domain.money import Micros
from app.domain.network import Grant, NetworkRow
from app.domain.review import (
    Approval,
    CheckResult,
    Comment,
    Finding,
    LandingStyle,
    Review,
    Scope,
)
from app.domain.run import Run
from app.domain.task import Task
from app.wire_hands import Attach, HandBack, Keys, Size, Takeover
from app.wire_hosts import HostLine, NewToken, Token, TokenLine
from app.wire_money import (
    CostLine,
    PriceChange,
    PriceFile,
    PriceLine,
    PriceOverride,
    Purse,
    Repriced,
    Spend,
)
from app.wire_review import Overlap, Part, Pick
from app.wire_screen import Look, NotifyLine, SettingLine
from app.wire_task import Left, Preview
from app.wire_why import Fact, Why
from policies.routes import Kind

__all__ = [
    "Attach",
    "CostLine",
    "Fact",
    "HandBack",
    "HostLine",
    "Keys",
    "Left",
    "Look",
    "NewToken",
    "NotifyLine",
    "Overlap",
    "Part",
    "Pick",
    "Preview",
    "PriceChange",
    "PriceFile",
    "PriceLine",
    "PriceOverride",
    "Purse",
    "Repriced",
    "SettingLine",
    "Size",
    "Spend",
    "Takeover",
    "Token",
    "TokenLine",
    "Why",
]
"""What is passed on from the parts about money, the screen, people's own work in runs, and other hosts."""

PROTOCOL = 1
"""Bumped when client and supervisor of different versions would misunderstand each other."""
PROTOCOL_HEADER = "x-swarm-protocol"


class Hello(Value, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """Who answers: `GET /v1/hello`. A newer supervisor may say more."""

    version: str
    protocol: int
    pid: int
    state_dir: str
    started: float
    host: str
    sandbox: str
    """Default sandbox driver."""
    isolation: str = ""
    """What kind of wall that is, in the words of `sandboxes.spec.Isolation`; empty when it cannot be loaded."""


class Problem(Value, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """Any error reply: `kind` names the class of `app.domain.errors`."""

    kind: str
    message: str
    hint: str = ""


class NewTask(Value, frozen=True, kw_only=True):
    """`POST /v1/tasks`; what is left out comes from the configuration."""

    goal: str
    repo: str
    """Absolute path inside the user's repository."""
    agent: str = ""
    """An agent, `agent/model`, or a name of `models`."""
    agents: tuple[str, ...] = ()
    """Several of these, instead: the first that can take it does, the others stand in for it."""
    race: bool = False
    """Whether all of `agents` work on it at the same time, under the budget of one."""
    kind: Kind | None = None
    """What sort of task it is; read off the goal when left out."""
    base: str = ""
    fetch: bool = False
    """Whether to bring the base up to date from its remote first, and to start from there."""
    checks: tuple[str, ...] | None = None
    budget: Micros | None = None
    label: str = ""
    """A word to add costs up by."""
    cassette: Cassette = Cassette()
    """Files to record its model traffic to, or to answer from instead of a model."""
    allow_network: tuple[str, ...] = ()
    """Hosts and presets that its runs may reach, besides those of the configuration."""
    needs: tuple[str, ...] = ()
    """Labels that the host of its runs must have, besides those of the configuration."""
    priority: int = 0
    """Its runs go before those with less, where several hosts share the work."""
    submitter: str = ""


class RunRow(Value, frozen=True, kw_only=True):
    """A line of the board: a task's run with what a person wants to know at a glance."""

    run: Run
    task: Task
    question: Approval | None = None
    """The oldest open question, if any."""
    review: ReviewId | None = None
    """The open review, if any."""
    checks: tuple[CheckResult, ...] = ()
    """Of the newest turn that was checked."""
    activity: str = ""
    """What the agent did last, in a few words."""
    activity_at: float | None = None
    """Unix time of that."""


class Board(Value, frozen=True, kw_only=True):
    """`GET /v1/runs`: the newest run of every task but `older` landed ones; at `seq` the event stream goes on."""

    rows: tuple[RunRow, ...]
    seq: int
    now: float
    purse: Purse = Purse()
    older: int = 0


class RunDetail(Value, frozen=True, kw_only=True):
    """`GET /v1/runs/{id}`."""

    row: RunRow
    runs: tuple[Run, ...]
    """All runs of the task, oldest first."""
    reviews: tuple[Review, ...]
    approvals: tuple[Approval, ...]
    comments: tuple[Comment, ...]
    findings: tuple[Finding, ...]
    spend: Spend
    behind: int = 0
    """Commits on the target that the work did not start from."""
    overlaps: tuple[Overlap, ...] = ()
    """Of a run in review: who else changes its files."""


class Answer(Value, frozen=True, kw_only=True):
    """`POST /v1/approvals/{id}`."""

    yes: bool
    note: str = ""
    amount: Micros | None = None
    """For a budget that is asked about: how much more, instead of what is proposed."""
    scope: Scope = "once"
    """How far a yes reaches."""
    rule: str = ""
    """With `always`: the digest of the change of the policy file that was looked at."""
    by: str = ""


class NewRule(Value, frozen=True, kw_only=True):
    """`GET /v1/approvals/{id}/rule`: the rule that `always` would write, as a change of the user's policy file."""

    path: str
    diff: str
    digest: str


class Approve(Value, frozen=True, kw_only=True):
    """`POST /v1/runs/{id}/approve`: names what was seen; refused when it is no longer what would land."""

    review: ReviewId
    tree: str
    confirmed: tuple[str, ...] = ()
    """Paths whose CONFIRM findings were acknowledged one by one."""
    secrets: tuple[str, ...] = ()
    """Fingerprints of secrets that may land all the same."""
    message: str = ""
    """What the commit says; empty for the task's goal."""
    style: LandingStyle = "squash"
    """`merge` for one commit behind a merge commit, `rebase` for a commit a turn."""
    commits: tuple[str, ...] = ()
    """With `rebase`: the tree of each commit that was looked at, oldest first; the last is `tree`."""
    note: str = ""
    by: str = ""


class Changes(Value, frozen=True, kw_only=True):
    """`POST /v1/runs/{id}/changes`: back to work with a note and all unsent comments."""

    note: str = ""
    by: str = ""


class Tell(Value, frozen=True, kw_only=True):
    """`POST /v1/runs/{id}/tell`: a person's words to the agent at work."""

    text: str
    by: str = ""


class NewComment(Value, frozen=True, kw_only=True):
    """`POST /v1/runs/{id}/comments`."""

    path: str
    line: int
    text: str
    last: int = 0
    """The last line it is on; 0 where that is `line`."""
    by: str = ""


class Act(Value, frozen=True, kw_only=True):
    """Body of the verbs that need nothing but who asks: stop, discard, restore, merge, undo."""

    by: str = ""


class Sweep(Value, frozen=True, kw_only=True):
    """`POST /v1/sweep`: clear away what is left of runs that are over."""

    dry_run: bool = False
    """Only say what would go."""
    unsaved: str = ""
    """A run in the trash whose sandbox may go although what is in it could not be saved."""


class SweepLine(Value, frozen=True, kw_only=True):
    """Something swarm has left, and whether it may go."""

    kind: str
    """`sandbox`, `check` or `worktree`."""
    name: str
    run: str = ""
    remove: bool = False
    why: str


class DiskLine(Value, frozen=True, kw_only=True):
    """One line of `GET /v1/disk`: bytes that a run takes; None where they cannot be counted."""

    run: RunId
    worktree: int | None
    sandbox: int | None


class Resume(Value, frozen=True, kw_only=True):
    """`POST /v1/runs/{id}/resume`: back to work where it stopped, with a new cap if one is given."""

    budget: Micros | None = None
    by: str = ""


class Retry(Value, frozen=True, kw_only=True):
    """`POST /v1/runs/{id}/retry`: a fresh run of the same task."""

    agent: str = ""
    fresh: bool = False
    """Whether it gets nothing of what the runs before it left."""
    by: str = ""


class AgentLine(Value, frozen=True, kw_only=True):
    """One line of `GET /v1/agents`."""

    name: str
    harness: str
    model: str
    title: str
    usable: bool
    why: str = ""
    """Why it is not usable, and what to do."""


class DoctorLine(Value, frozen=True, kw_only=True):
    """One line of `GET /v1/doctor`: something swarm relies on, and whether it is there."""

    name: str
    ok: bool
    found: str
    """What there is, for example `git 2.39.5`, or what is wrong."""
    fix: str = ""
    """What to do when it is not ok."""
    needed: bool = True
    """Whether swarm cannot work without it."""


class AuditRow(Value, frozen=True, kw_only=True):
    """One line of `GET /v1/audit`: who did what, when, to which exact content."""

    number: int
    at: float
    actor: str
    what: str
    run: RunId | None
    detail: dict[str, str]


class AllowHost(Value, frozen=True, kw_only=True):
    """`POST /v1/runs/{id}/allow`: one run may reach one more host, at once."""

    host: str
    by: str = ""


class Network(Value, frozen=True, kw_only=True):
    """`GET /v1/runs/{id}/network`: what a run may reach besides models, and what it asked for."""

    run: RunId
    hosts: tuple[str, ...]
    """Allowed since the task was given."""
    grants: tuple[Grant, ...]
    """Allowed by people since."""
    limit: int
    """Bytes the run may send and receive, all in all."""
    left: int
    rows: tuple[NetworkRow, ...]
    """The newest last."""


def encode(value: object) -> bytes:
    return msgspec.json.encode(value)


class ImageWish(Value, frozen=True, kw_only=True):
    """`GET /v1/image`: the image that agents of a repository shall stand on."""

    repo: str
    """Absolute path."""
    commit: str
    """Where its configuration and the files were read."""
    image: OwnImage
    digest: str
    """What an approval binds."""
    base: str
    """The image that an agent's is made from."""
    approved_by: str
    """Who approved exactly this; empty when nobody did."""
    used: bool
    """Whether runs use it: not with `sandbox.image`, nor without containers."""
    agent: str
    """Short name of the image of the agent that gets tasks when none is named."""


class ApproveImage(Value, frozen=True, kw_only=True):
    """`POST /v1/image`; refused when what is there now has another digest."""

    repo: str
    digest: str
    by: str
    base: str = ""
