"""The board's read-model: a board as the supervisor told it, and the events since, folded in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from msgspec.structs import replace

from app.domain.events import (
    Answered,
    Asked,
    Body,
    Checked,
    Decided,
    Event,
    Merged,
    ReviewOpened,
    Snapshotted,
    Spent,
    StateChanged,
    TurnStarted,
)
from app.domain.ids import RunId, TaskId, task_of
from app.domain.money import Micros
from app.domain.review import Approval, CheckResult
from app.domain.run import ACTIVE, SETTLED, RunState
from app.tui.model.line import one_line
from app.tui.model.purse import Spending
from app.tui.model.show import WORDS, repository, state_of
from app.wire import Board, RunRow
from harnesses import events as agent

_S = RunState

RANKS: Final[dict[RunState, int]] = {
    _S.WAITING: 0,
    _S.IN_REVIEW: 1,
    _S.FAILED: 2,
    _S.PARKED: 3,
    _S.WORKING: 4,
    _S.CHECKING: 4,
    _S.MERGING: 4,
    _S.PREPARING: 4,
    _S.QUEUED: 5,
    _S.CANCELLED: 6,
    _S.MERGED: 7,
    _S.DISCARDED: 8,
}
"""Needs me first: the smaller, the higher up."""
LEFT_TO_ME: Final = frozenset({_S.IN_REVIEW, _S.PARKED})
"""States in which nothing goes on until a person decides, and which are as old as that wait."""
NEEDS_ME: Final = frozenset({_S.WAITING, _S.IN_REVIEW, _S.FAILED, _S.PARKED})


Grouping: TypeAlias = Literal["nothing", "state", "agent", "repository"]
GROUPINGS: Final[tuple[Grouping, ...]] = ("nothing", "state", "agent", "repository")
_GROUPS: Final[dict[Grouping, Callable[[RunRow], str]]] = {
    "state": lambda row: WORDS[state_of(row)][1],
    "agent": lambda row: one_line(row.run.agent),
    "repository": repository,
}


@dataclass(frozen=True, slots=True)
class Counts:
    """What the header says."""

    runs: int
    states: dict[RunState, int]
    spent: Micros
    budget: Micros
    """What the runs that are not settled may still come to, all together."""


_NEWS: Final = (StateChanged, Asked, Answered, ReviewOpened, Merged)
"""What only the supervisor can tell the whole of."""


class Fleet:
    """The newest run of every task. `apply` is a fold: what it has seen once it ignores."""

    def __init__(self) -> None:
        self.rows: dict[TaskId, RunRow] = {}
        self.rivals: dict[RunId, RunRow] = {}
        """The other runs of tasks that several agents race for."""
        self._chosen: dict[TaskId, RunId] = {}
        self.seq = 0
        self.loaded = False
        self.stale = False
        """Something happened that only the supervisor can tell whole: load the board again."""
        self._unknown: set[RunId] = set()
        self.foreign: set[RunId] = set()
        """Runs of other repositories: the board does not list them, their events mean nothing here."""
        self.spending = Spending()
        """Of everybody, those runs too."""

    def load(self, board: Board) -> None:
        """Take over what the supervisor says, which includes everything up to its number."""
        self.rows, self.rivals = {}, {}
        for row in sorted(board.rows, key=self._stands_first):
            if row.task.id in self.rows:
                self.rivals[row.run.id] = row
            else:
                self.rows[row.task.id] = row
        self.seq = max(self.seq, board.seq)
        self.spending.load(board.purse, board.now)
        self.foreign.update(run for run in self._unknown if task_of(run) not in self.rows)
        self._unknown.clear()
        self.stale = False
        self.loaded = True

    def apply(self, event: Event) -> bool:
        """Fold one event in; says whether the board looks different now."""
        if event.seq <= self.seq:
            return False
        self.seq = event.seq
        spent = self.spending.apply(event)
        if event.run in self.foreign:
            return spent
        if rival := self.rivals.get(event.run):
            self.rivals[event.run] = folded(rival, event)
            self.stale = self.stale or isinstance(event.body, _NEWS)
            return False
        row = self.rows.get(task_of(event.run))
        if row is None or row.run.number < _number(event.run):
            self._unknown.add(event.run)
            self.stale = True
            return False
        if row.run.id != event.run:
            return False
        if isinstance(event.body, _NEWS):
            self.stale = True
        new = folded(row, event)
        self.rows[row.task.id] = new
        return new is not row

    def ordered(self, words: str = "") -> list[RunRow]:
        """Needs me first; `words` keeps the rows that contain all of them."""
        wanted = words.lower().split()
        rows = [row for row in self.rows.values() if _matches(row, wanted)]
        return sorted(rows, key=_place)

    def forget(self) -> None:
        """Another selection of repositories: what was not meant before may be meant now."""
        self.foreign.clear()
        self.stale = True

    def choose(self, row: RunRow) -> bool:
        """Have this run stand for its task, among those that race for it; whether it can."""
        task, before = row.task.id, self.rows.get(row.task.id)
        if before is None or row.run.id not in {before.run.id, *self.rivals}:
            return False
        self._chosen[task] = row.run.id
        self.rivals[before.run.id] = before
        self.rows[task] = self.rivals.pop(row.run.id)
        return True

    def _stands_first(self, row: RunRow) -> tuple[bool, int, int]:
        """Of several runs of a task: the one that was chosen, else the one that needs me most."""
        chosen = self._chosen.get(row.task.id) == row.run.id
        return not chosen, RANKS[state_of(row)], row.run.number

    def needing_me(self) -> list[RunRow]:
        return [row for row in self.ordered() if state_of(row) in NEEDS_ME]

    def find(self, run: RunId) -> RunRow | None:
        row = self.rows.get(task_of(run))
        return row if row is not None and row.run.id == run else None

    def counts(self) -> Counts:
        states: dict[RunState, int] = {}
        spent = budget = 0
        for row in self.rows.values():
            states[state_of(row)] = states.get(state_of(row), 0) + 1
            spent += row.run.spent
            budget += row.run.spent if row.run.state in SETTLED else row.run.budget
        return Counts(len(self.rows), states, Micros(spent), Micros(budget))


def grouped(rows: Sequence[RunRow], by: Grouping) -> list[RunRow | str]:
    """The rows below a heading for each group; the group whose first row needs me most comes first."""
    if by == "nothing":
        return list(rows)
    groups: dict[str, list[RunRow]] = {}
    for row in rows:
        groups.setdefault(_GROUPS[by](row), []).append(row)
    listed: list[RunRow | str] = []
    for title, below in groups.items():
        listed += [f"{title}  {len(below)}", *below]
    return listed


def folded(row: RunRow, event: Event) -> RunRow:  # noqa: C901, PLR0911 - a case for each kind
    """The row after this event; the same object when the event does not show."""
    body = event.body
    match body:
        case StateChanged():
            return _moved(row, body, event.at)
        case TurnStarted():
            return replace(row, checks=(), activity=f"turn {body.turn}", activity_at=event.at)
        case Snapshotted():
            counted = replace(
                row.run,
                snapshot=body.commit,
                files=body.files,
                insertions=body.insertions,
                deletions=body.deletions,
            )
            return replace(row, run=counted)
        case Checked():
            return replace(row, checks=_with_check(row.checks, body.result))
        case Spent():
            return replace(row, run=replace(row.run, spent=Micros(body.total)))
        case Asked():
            return replace(row, question=row.question or _question(event.run, body, event.at))
        case Answered() if row.question and row.question.id == body.approval:
            return replace(row, question=None)
        case ReviewOpened():
            return replace(row, review=body.review)
        case Decided() if row.review == body.review:
            return replace(row, review=None)
        case _:
            return _acted(row, body, event.at)


def activity(body: Body) -> str:
    """What the agent does, in a few words; empty when the event does not tell."""
    match body:
        case agent.ToolCall():
            return one_line(body.title)
        case agent.ThoughtChunk():
            return "thinks"
        case agent.MessageChunk():
            return "answers"
        case agent.SessionStarted():
            return "starts"
        case _:
            return ""


def _acted(row: RunRow, body: Body, at: float) -> RunRow:
    words = activity(body)
    if not words or words == row.activity:
        return row
    return replace(row, activity=words, activity_at=at)


def _moved(row: RunRow, body: StateChanged, at: float) -> RunRow:
    run = replace(row.run, state=body.state, reason=body.reason)
    if body.state in SETTLED:
        run = replace(run, ended=at)
    elif body.state in ACTIVE and run.started is None and body.state is not _S.QUEUED:
        run = replace(run, started=at)
    question = row.question if body.state in {_S.WAITING, _S.WORKING} else None
    review = row.review if body.state is _S.IN_REVIEW else None
    since = at if body.state in LEFT_TO_ME else row.activity_at
    return replace(row, run=run, question=question, review=review, activity_at=since)


def _with_check(checks: tuple[CheckResult, ...], new: CheckResult) -> tuple[CheckResult, ...]:
    return (*(check for check in checks if check.command != new.command), new)


def _question(run: RunId, asked: Asked, at: float) -> Approval:
    """As much of the question as the event tells; the supervisor's board has the rest."""
    return Approval(
        id=asked.approval, run=run, turn=0, request="", title=asked.title, action="other", opened=at
    )


def _number(run: RunId) -> int:
    tail = run.rpartition(".")[2]
    return int(tail) if tail.isdecimal() else 0


def _place(row: RunRow) -> tuple[int, float, str]:
    rank = RANKS[state_of(row)]
    # Who waits for a person waits in line; of the others the newest is the one just started.
    return rank, row.run.created if rank <= RANKS[_S.PARKED] else -row.run.created, row.run.id


def _matches(row: RunRow, wanted: list[str]) -> bool:
    if not wanted:
        return True
    run, word = row.run, WORDS[state_of(row)][1]
    text = f"{run.id} {run.agent} {run.model} {run.state} {word} {repository(row)} {run.branch}"
    text = f"{text} {row.task.goal}".lower()
    return all(word in text for word in wanted)
