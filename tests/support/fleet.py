"""A recorded supervisor: serves a board, details, diffs and events from data, and keeps what it was asked to do.

For widgets and pictures only; whole journeys are tested with the real supervisor.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from app import wire
from app.client.client import CaughtUp, Link, Swarm
from app.domain import events as own
from app.domain.errors import NotFound, NotNow, SwarmError, Unreachable
from app.domain.events import Body, Event
from app.domain.ids import ApprovalId, ReviewId, RunId, TaskId, approval_id, review_id, task_of
from app.domain.money import Micros
from app.domain.review import (
    Approval,
    CheckResult,
    Comment,
    FileChange,
    Finding,
    LeftOut,
    Review,
    TurnCommit,
    Verdict,
)
from app.domain.run import Run, RunState
from app.domain.task import Task
from app.tui.app import SwarmApp
from app.tui.desk import Desk
from tests.support.nouns import would

NOW = 1_795_010_551.0
REPO = "/home/ada/acme-api"


@dataclass
class Recording:
    """What the supervisor knows."""

    rows: list[wire.RunRow] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    diffs: dict[RunId, bytes] = field(default_factory=dict)
    since: dict[str, bytes] = field(default_factory=dict)
    """How the reviews' trees differ from these earlier ones."""
    commits: dict[RunId, tuple[TurnCommit, ...]] = field(default_factory=dict)
    """What a rebase would land; it is refused for the other runs."""
    turns: dict[tuple[RunId, int], bytes] = field(default_factory=dict)
    """The diffs of those commits."""
    events: list[Event] = field(default_factory=list)
    spend: dict[RunId, wire.Spend] = field(default_factory=dict)
    network: dict[RunId, wire.Network] = field(default_factory=dict)
    agents: tuple[wire.AgentLine, ...] = ()
    costs: dict[str, tuple[wire.CostLine, ...]] = field(default_factory=dict)
    """By what they are added up by."""
    trash: list[wire.RunRow] = field(default_factory=list)
    health: tuple[wire.DoctorLine, ...] = ()
    hosts: tuple[wire.HostLine, ...] = ()
    settings: tuple[wire.SettingLine, ...] = ()
    purse: wire.Purse = field(default_factory=wire.Purse)
    preview: wire.Preview | None = None

    def say(self, run: RunId, at: float, *bodies: Body) -> None:
        """Add events to the end of the log."""
        for body in bodies:
            self.events.append(Event(seq=len(self.events) + 1, run=run, at=at, body=body))


class RecordedSwarm(Swarm):
    """`Swarm`, without a supervisor behind it."""

    def __init__(self, recording: Recording | None = None) -> None:
        super().__init__(Path("/nowhere"))
        self.recording = recording or Recording()
        self.asked: list[tuple[str, str, object]] = []
        """Verb, run or approval, body: everything that would have changed something."""
        self.refusal: SwarmError | None = None
        """Raised by every verb that would change something."""
        self.previewed: list[wire.NewTask] = []
        """What was asked about and not begun."""
        self.gone = False
        self._news: asyncio.Queue[Event | Link] = asyncio.Queue()

    def hear(self, item: Event | Link) -> None:
        """Something happens while somebody watches."""
        if isinstance(item, Event):
            self.recording.events.append(item)
        self._news.put_nowait(item)

    def happens(self, run: RunId, *bodies: Body, at: float = NOW) -> None:
        """As `hear`, numbered."""
        for body in bodies:
            self.hear(Event(seq=len(self.recording.events) + 1, run=run, at=at, body=body))

    async def board(self, repo: str = "", past: int | None = None) -> wire.Board:
        self._answer()
        seq = len(self.recording.events)
        return wire.Board(
            rows=tuple(self.recording.rows), seq=seq, now=NOW, purse=self.recording.purse
        )

    async def detail(self, run: str) -> wire.RunDetail:
        self._answer()
        row = self._row(run)
        nothing = wire.Spend(
            micros=row.run.spent,
            held=Micros(0),
            calls=0,
            refused=0,
            input=0,
            output=0,
            cache_read=0,
            cache_write=0,
        )
        return wire.RunDetail(
            row=row,
            runs=tuple(one.run for one in self.recording.rows if one.task.id == row.task.id)
            or (row.run,),
            reviews=tuple(review for review in self.recording.reviews if review.run == row.run.id),
            approvals=(row.question,) if row.question else (),
            comments=tuple(said for said in self.recording.comments if said.run == row.run.id),
            findings=(),
            spend=self.recording.spend.get(row.run.id, nothing),
        )

    async def commits(self, run: str) -> tuple[TurnCommit, ...]:
        self._answer()
        if (known := self.recording.commits.get(RunId(run))) is None:
            raise NotNow(f"{run} cannot land turn by turn")
        return known

    async def diff(
        self, run: str, *, review: bool = False, since: str = "", turn: int = 0
    ) -> bytes:
        self._answer()
        if turn:
            return self.recording.turns[RunId(run), turn]
        if since:
            return self.recording.since.get(since, b"")
        return self.recording.diffs.get(RunId(run), b"")

    async def network(self, run: str) -> wire.Network:
        self._answer()
        nothing = wire.Network(run=RunId(run), hosts=(), grants=(), limit=0, left=0, rows=())
        return self.recording.network.get(RunId(run), nothing)

    async def costs(
        self, by: str, *, of: str = "", since: str = "", until: str = ""
    ) -> tuple[wire.CostLine, ...]:
        self._answer()
        return self.recording.costs.get(by, ())

    async def trash(self) -> tuple[wire.RunRow, ...]:
        self._answer()
        return tuple(self.recording.trash)

    async def doctor(self) -> tuple[wire.DoctorLine, ...]:
        self._answer()
        return self.recording.health

    async def hosts(self) -> tuple[wire.HostLine, ...]:
        self._answer()
        return self.recording.hosts

    async def settings(self, repo: str = "") -> tuple[wire.SettingLine, ...]:
        self._answer()
        return self.recording.settings

    async def inbox(self) -> tuple[Approval, ...]:
        self._answer()
        return tuple(row.question for row in self.recording.rows if row.question is not None)

    async def why(self, run: str) -> wire.Why:
        self._answer()
        row = self._row(run)
        return wire.Why(
            run=row.run.id,
            state=row.run.state,
            reason=row.run.reason or "it asks a person",
            now=NOW,
            evidence=(
                wire.Fact(what="the last snapshot is the agent's work so far", seen=NOW - 40),
                wire.Fact(what="no check has run since"),
            ),
            next=(f"swarm answer {run}-a1 yes", f"swarm stop {run}"),
        )

    async def allow(self, run: str, body: wire.AllowHost) -> wire.Network:
        self._ask("allow", run, body)
        return await self.network(run)

    async def agents(self) -> tuple[wire.AgentLine, ...]:
        self._answer()
        return self.recording.agents

    async def preview(self, task: wire.NewTask) -> wire.Preview:
        """What the recording says of any task; without that, of one that its agent gets."""
        self._answer()
        self.previewed.append(task)
        if self.refusal is not None:
            raise self.refusal
        return self.recording.preview or would(task)

    async def submit(self, task: wire.NewTask) -> wire.RunRow:
        self._ask("submit", "", task)
        return self.recording.rows[0]

    async def answer(self, approval: str, answer: wire.Answer) -> Approval:
        self._ask("answer", approval, answer)
        for at, row in enumerate(self.recording.rows):
            if row.question is not None and row.question.id == approval:
                self.recording.rows[at] = replace(row, question=None)
                said = "yes" if answer.yes else "no"
                self.happens(row.run.id, own.Answered(ApprovalId(approval), said, answer.by))  # type: ignore[arg-type]
                return row.question
        raise NotFound(f"there is no open question {approval}")

    async def approve(self, run: str, body: wire.Approve) -> Review:
        self._ask("approve", run, body)
        return self.recording.reviews[0]

    async def pick(self, run: str, body: wire.Pick) -> Review:
        self._ask("pick", run, body)
        out = tuple(LeftOut(path=part.path, hunk=str(part.line or "")) for part in body.leave_out)
        now = replace(self.recording.reviews[0], left_out=out, checks=())
        self.recording.reviews[0] = now
        return now

    async def changes(self, run: str, body: wire.Changes) -> wire.RunRow:
        return self._ask("changes", run, body)

    async def comment(self, run: str, body: wire.NewComment) -> Comment:
        self._ask("comment", run, body)
        said = Comment(
            run=RunId(run),
            number=len(self.recording.comments) + 1,
            path=body.path,
            line=body.line,
            last=body.last,
            text=body.text,
            by=body.by,
            at=NOW,
        )
        self.recording.comments.append(said)
        return said

    async def merge(self, run: str, body: wire.Act) -> wire.RunRow:
        return self._ask("merge", run, body)

    async def undo(self, run: str, body: wire.Act) -> wire.RunRow:
        return self._ask("undo", run, body)

    async def tell(self, run: str, body: wire.Tell) -> wire.RunRow:
        return self._ask("tell", run, body)

    async def stop(self, run: str, body: wire.Act) -> wire.RunRow:
        return self._ask("stop", run, body)

    async def resume(self, run: str, body: wire.Resume) -> wire.RunRow:
        return self._ask("resume", run, body)

    async def retry(self, run: str, body: wire.Retry) -> wire.RunRow:
        return self._ask("retry", run, body)

    async def discard(self, run: str, body: wire.Act) -> wire.RunRow:
        return self._ask("discard", run, body)

    async def restore(self, run: str, body: wire.Act) -> wire.RunRow:
        return self._ask("restore", run, body)

    async def events(
        self, *, since: int = 0, run: str = "", follow: bool = True
    ) -> AsyncIterator[Event | CaughtUp]:
        self._answer()
        for event in self.recording.events:
            if event.seq > since and (not run or event.run == run):
                yield event
        yield CaughtUp(len(self.recording.events))

    async def follow(
        self, *, since: int = 0, run: str = ""
    ) -> AsyncIterator[Event | CaughtUp | Link]:
        async for item in self.events(since=since, run=run):
            yield item
        while True:
            yield await self._news.get()

    def _answer(self) -> None:
        if self.gone:
            raise Unreachable("no supervisor answers", hint="Start it with `swarm daemon up`.")

    def _ask(self, verb: str, about: str, body: object) -> wire.RunRow:
        self._answer()
        if self.refusal is not None:
            raise self.refusal
        self.asked.append((verb, about, body))
        return self._row(about) if verb not in {"submit", "answer"} else self.recording.rows[0]

    def _row(self, run: str) -> wire.RunRow:
        for row in (*self.recording.rows, *self.recording.trash):
            if row.run.id == run:
                return row
        raise NotFound(f"there is no run {run}")


def app_over(
    swarm: RecordedSwarm,
    *,
    clock: Callable[[], float] = lambda: NOW,
    isolation: str = "container",
    loaded: bool = True,
    look: wire.Look | None = None,
) -> SwarmApp:
    """The real application over the recorded supervisor."""
    desk = Desk(swarm, REPO, clock, user="ada", sandbox="docker", isolation=isolation)
    desk.look = look or desk.look
    if loaded:
        desk.fleet.load(
            wire.Board(
                rows=tuple(swarm.recording.rows),
                seq=len(swarm.recording.events),
                now=NOW,
                purse=swarm.recording.purse,
            )
        )
    return SwarmApp(desk)


def row(
    id_: str,
    goal: str,
    state: RunState,
    *,
    agent: str = "claude-code",
    number: int = 1,
    minutes: float = 5,
    spent: float = 0.0,
    budget: float = 2.0,
    lines: tuple[int, int, int] = (0, 0, 0),
    **more: object,
) -> wire.RunRow:
    """A line of the board, with what a test does not care about filled in. `lines`: added, removed, files."""
    task_id = TaskId(id_)
    run_id = RunId(f"{id_}.{number}")
    began = NOW - minutes * 60
    settled = state in {RunState.MERGED, RunState.FAILED, RunState.CANCELLED, RunState.DISCARDED}
    checks = more.pop("task_checks", ("make test",))
    run = Run(
        id=run_id,
        task=task_id,
        number=number,
        state=state,
        agent=agent,
        harness=agent,
        model=str(more.pop("model", "claude-sonnet-4-5")),
        sandbox="docker",
        base="3f9c2d1" + "0" * 33,
        branch=f"swarm/{slug(goal)}",
        worktree=f"/home/ada/.local/state/swarm/worktrees/{id_}",
        snapshot="5" * 40 if any(lines) else "",
        budget=Micros(round(budget * 1e6)),
        spent=Micros(round(spent * 1e6)),
        insertions=lines[0],
        deletions=lines[1],
        files=lines[2],
        reason=str(more.pop("reason", "")),
        created=began,
        started=began + 1,
        ended=NOW - 60 if settled else None,
    )
    task = Task(
        id=task_id,
        goal=goal,
        repo=REPO,
        target="main",
        base="main",
        agent=agent,
        checks=checks if isinstance(checks, tuple) else (),
        budget=run.budget,
        created=began,
        submitter="ada",
    )
    return wire.RunRow(run=run, task=task, **more)  # type: ignore[arg-type]


def slug(goal: str) -> str:
    return "-".join(word.strip(".,") for word in goal.lower().split()[:4])


def question(run: RunId, title: str, **more: str) -> Approval:
    return Approval(
        id=approval_id(run, 1),
        run=run,
        turn=1,
        request="q1",
        title=title,
        action=more.get("action", "execute"),
        detail=more.get("detail", ""),
        reason=more.get("reason", ""),
        opened=NOW - 130,
    )


def review(
    run: RunId,
    files: Iterable[FileChange],
    *,
    findings: tuple[Finding, ...] = (),
    checks: tuple[CheckResult, ...] = (),
    conflicts: tuple[str, ...] = (),
    verdict: Verdict | None = None,
) -> Review:
    return Review(
        id=review_id(run, 1),
        run=run,
        round=1,
        base="3f9c2d1" + "0" * 33,
        snapshot="5" * 40,
        target="main",
        tip="3f9c2d1a77be" + "0" * 28,
        result_tree="" if conflicts else "7be21a4f0c9d5e6b8a1f2c3d4e5f60718293a4b5",
        files=tuple(files),
        findings=findings,
        checks=checks,
        conflicts=conflicts,
        opened=NOW - 660,
        verdict=verdict,
    )


def find_row(recording: Recording, task: str) -> wire.RunRow:
    return next(row for row in recording.rows if task_of(row.run.id) == task)


def swap(recording: Recording, task: str, **changes: object) -> None:
    """Another state of one row, as the supervisor would tell it next."""
    at = next(n for n, row in enumerate(recording.rows) if row.task.id == task)
    old = recording.rows[at]
    of_run: Mapping[str, object] = {
        key: changes.pop(key) for key in list(changes) if hasattr(old.run, key)
    }
    recording.rows[at] = replace(old, run=replace(old.run, **of_run), **changes)


__all__ = [
    "NOW",
    "REPO",
    "RecordedSwarm",
    "Recording",
    "ReviewId",
    "app_over",
    "question",
    "review",
    "row",
]
