"""Tasks and their runs."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from app.domain.errors import NotFound, NotNow
from app.domain.ids import RunId, TaskId
from app.domain.outfit import PORTS
from app.domain.run import Run, RunState, may_move
from app.domain.task import Task
from app.store.sql import insert_once, plain, value
from app.store.tables import RUN, SPEND, TASK, TOUCHED

_MERGED = str(RunState.MERGED)
_NOT_MERGED = [str(state) for state in RunState if state != RunState.MERGED]


def add_task(c: sa.Connection, task: Task) -> bool:
    return insert_once(c, TASK, **plain(task))


def add_run(c: sa.Connection, run: Run) -> bool:
    fields = {k: v for k, v in plain(run).items() if k in RUN.c}
    return insert_once(c, RUN, **fields)


def task(c: sa.Connection, task_id: TaskId) -> Task:
    row = c.execute(sa.select(TASK).where(TASK.c.id == task_id)).fetchone()
    if row is None:
        raise NotFound(f"there is no task {task_id}", hint="`swarm ps` lists them.")
    return value(row, Task)


def _runs() -> sa.Select[Any]:
    total = sa.func.coalesce(sa.func.sum(SPEND.c.micros), 0)
    # PostgreSQL's sum of whole numbers is a decimal.
    spent = sa.select(sa.cast(total, sa.BigInteger)).where(SPEND.c.run == RUN.c.id)
    return sa.select(RUN, spent.scalar_subquery().label("spent"))


def run(c: sa.Connection, run_id: RunId) -> Run:
    row = c.execute(_runs().where(RUN.c.id == run_id)).fetchone()
    if row is None:
        raise NotFound(f"there is no run {run_id}", hint="`swarm ps` lists them.")
    return value(row, Run)


def repositories(c: sa.Connection) -> tuple[str, ...]:
    """Where the repositories of all tasks are."""
    return tuple(c.execute(sa.select(TASK.c.repo).distinct()).scalars())


def runs_at(c: sa.Connection, repo: str) -> tuple[RunId, ...]:
    """Every run of that repository."""
    query = sa.select(RUN.c.id).join(TASK, TASK.c.id == RUN.c.task).where(TASK.c.repo == repo)
    return tuple(RunId(id_) for id_ in c.execute(query).scalars())


def rehouse(c: sa.Connection, old: str, new: str) -> None:
    """The repository that was at `old` is at `new`."""
    c.execute(sa.update(TASK).where(TASK.c.repo == old).values(repo=new))


def has(c: sa.Connection, run_id: RunId) -> bool:
    """Whether there is that run."""
    return c.execute(sa.select(RUN.c.id).where(RUN.c.id == run_id)).scalar() is not None


def runs_of(c: sa.Connection, task_id: TaskId) -> tuple[Run, ...]:
    """All runs of a task, oldest first."""
    rows = c.execute(_runs().where(RUN.c.task == task_id).order_by(RUN.c.number))
    return tuple(value(row, Run) for row in rows)


def newest(repo: str = "", past: int | None = None) -> sa.Select[Any]:
    """A query for the id of the newest run of every task, or all in a race, of one repository or of all.

    With `past`, only so many of those that have landed, the newest of them: what is over grows without end.
    """
    later = RUN.alias()
    has_later = sa.exists().where(later.c.task == RUN.c.task, later.c.number > RUN.c.number)
    query = sa.select(RUN.c.id).where(sa.or_(~has_later, _of_its_task(TASK.c.race)))
    if repo:
        query = query.where(_of_its_task(TASK.c.repo) == repo)
    if past is None:
        return query
    landed = query.where(RUN.c.state == _MERGED).order_by(RUN.c.created.desc()).limit(past)
    # Together in one query they would be looked for among all there ever were.
    others = query.where(RUN.c.state.in_(_NOT_MERGED))
    both = sa.union_all(others, sa.select(landed.subquery().c.id))
    return sa.select(RUN.c.id).where(RUN.c.id.in_(both))


def _of_its_task(column: sa.Column[Any]) -> sa.ScalarSelect[Any]:
    """Looked up for each run: a join might begin with the tasks, of which there are ever more."""
    return sa.select(column).where(TASK.c.id == RUN.c.task).correlate(RUN).scalar_subquery()


def landed(c: sa.Connection, repo: str = "") -> int:
    """How many tasks have landed, of one repository or of all."""
    query = sa.select(sa.func.count()).select_from(RUN).where(RUN.c.state == _MERGED)
    if repo:
        query = query.join(TASK, TASK.c.id == RUN.c.task).where(TASK.c.repo == repo)
    return int(c.execute(query).scalar_one())


def runs_among(c: sa.Connection, ids: Sequence[str]) -> tuple[Run, ...]:
    """The runs of these ids, the newest first."""
    query = _runs().where(RUN.c.id.in_(ids)).order_by(RUN.c.created.desc())
    return tuple(value(row, Run) for row in c.execute(query))


def runs_in(c: sa.Connection, states: frozenset[RunState]) -> tuple[Run, ...]:
    rows = c.execute(_runs().where(RUN.c.state.in_([str(s) for s in states])))
    return tuple(value(row, Run) for row in rows)


def drivers(c: sa.Connection) -> tuple[str, ...]:
    """Every kind of sandbox that any run ever had."""
    return tuple(c.execute(sa.select(RUN.c.sandbox).distinct()).scalars())


def left_by(c: sa.Connection, states: frozenset[RunState]) -> tuple[tuple[RunId, str, str], ...]:
    """Of the runs in these states: the id, the kind of sandbox, and where the worktree was."""
    query = sa.select(RUN.c.id, RUN.c.sandbox, RUN.c.worktree)
    rows = c.execute(query.where(RUN.c.state.in_([str(s) for s in states])))
    return tuple((RunId(row.id), row.sandbox, row.worktree) for row in rows)


def find(c: sa.Connection, text: str) -> RunId:
    """The run meant by `text`: its id, its task's (the newest run), or a beginning only one task has."""
    exact = c.execute(sa.select(RUN.c.id).where(RUN.c.id == text)).scalar()
    if exact:
        return RunId(exact)
    prefix, _, number = text.partition(".")
    escaped = prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found = sa.select(TASK.c.id).where(TASK.c.id.like(escaped + "%", escape="\\"))
    tasks = [] if not prefix or number else list(c.execute(found).scalars())
    if len(tasks) > 1:
        raise NotFound(
            f"{text!r} could be any of {', '.join(sorted(tasks)[:5])}", hint="Write more of the id."
        )
    if not tasks:
        raise NotFound(f"there is no task or run {text!r}", hint="`swarm ps` lists them.")
    return runs_of(c, TaskId(tasks[0]))[-1].id


def move(c: sa.Connection, run_id: RunId, new: RunState, *, reason: str = "", at: float) -> bool:
    """Move a run to another state; whether it moved. Raises `NotNow` when the move is not legal."""
    old = run(c, run_id).state
    if not may_move(old, new):
        raise NotNow(f"run {run_id} is {old}; it cannot become {new}")
    changes: dict[str, Any] = {"state": str(new), "reason": reason}
    if new in ENDING and new != old:
        changes["ended"] = at
    if new == RunState.QUEUED:
        changes |= {"ended": None, "wish": ""}
    if new == RunState.PREPARING:
        changes["started"] = sa.func.coalesce(RUN.c.started, at)
    if new == RunState.DISCARDED:
        changes["before_trash"] = sa.case(
            (RUN.c.state == str(RunState.DISCARDED), RUN.c.before_trash), else_=RUN.c.state
        )
    still = sa.update(RUN).where(RUN.c.id == run_id, RUN.c.state == str(old))
    if c.execute(still.values(**changes)).rowcount != 1:
        raise NotNow(f"run {run_id} was moved by somebody else just now", hint="Try again.")
    return old != new


FIRST_PORT, LAST_PORT = 42_000, 48_000
_LEASING = 7_245_303
"""The advisory lock of whoever looks for free ports."""


def hold(c: sa.Connection, run_id: RunId) -> None:
    """Until this transaction ends no other one holds the run: for what is read, and decides what is written.

    On SQLite whoever writes is alone.
    """
    if c.dialect.name == "postgresql":
        mine = sa.select(RUN.c.id).where(RUN.c.id == run_id)
        c.execute(mine.with_for_update(key_share=True))


def lease_ports(c: sa.Connection, run_id: RunId) -> int:
    """The first of ten ports that no other run has; the same as long as the run keeps them."""
    if c.dialect.name == "postgresql":
        c.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LEASING})
    have: int = column(c, run_id, "port")
    if have:
        return have
    taken = set(c.execute(sa.select(RUN.c.port).where(RUN.c.port > 0)).scalars())
    free = next((p for p in range(FIRST_PORT, LAST_PORT, PORTS) if p not in taken), 0)
    update(c, run_id, port=free)
    return free


ENDING = frozenset({RunState.MERGED, RunState.FAILED, RunState.CANCELLED, RunState.DISCARDED})


def update(c: sa.Connection, /, run_id: RunId, **changes: Any) -> None:
    """Set columns other than the state, which only `move` may touch."""
    if "state" in changes:
        raise ValueError("a run's state changes by move() only")
    c.execute(
        sa.update(RUN).where(RUN.c.id == run_id).values(**{k: plain(v) for k, v in changes.items()})
    )


def column(c: sa.Connection, run_id: RunId, name: str) -> Any:
    """One column that is no part of the domain value: `wish`, `before_trash`, `findings`."""
    return c.execute(sa.select(RUN.c[name]).where(RUN.c.id == run_id)).scalar()


def touch(c: sa.Connection, run_id: RunId, paths: Sequence[str]) -> None:
    """Write down which files the run changes now."""
    insert_once(c, TOUCHED, run=run_id, paths=[])
    c.execute(sa.update(TOUCHED).where(TOUCHED.c.run == run_id).values(paths=list(paths)))


def beside(
    c: sa.Connection, task: Task, states: frozenset[RunState], most: int
) -> dict[RunId, frozenset[str]]:
    """The files that runs of other tasks of the same repository change: of those in the states the newest ones."""
    query = (
        sa.select(TOUCHED)
        .join(RUN, RUN.c.id == TOUCHED.c.run)
        .join(TASK, TASK.c.id == RUN.c.task)
        .where(TASK.c.repo == task.repo, TASK.c.home == task.home, TASK.c.id != task.id)
        .where(RUN.c.state.in_([str(state) for state in states]))
        .order_by(RUN.c.created.desc())
        .limit(most)
    )
    return {RunId(row.run): frozenset(row.paths) for row in c.execute(query)}
