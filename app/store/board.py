"""Rows of the board: a run with everything a person wants to know at a glance, in a handful of queries."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, TypeAlias

import sqlalchemy as sa

from app.domain.errors import NotFound
from app.domain.ids import ReviewId, RunId
from app.domain.review import Approval, CheckResult
from app.domain.run import RunState
from app.domain.task import Task
from app.store import tasks
from app.store.sql import value
from app.store.tables import APPROVAL, CHECK, REVIEW, RUN, TASK
from app.wire import RunRow

Chosen: TypeAlias = Sequence[str]
"""Ids of runs."""
_AT_ONCE: Final = 5000
"""Ids in one query: databases limit how many values one may carry."""


def row(c: sa.Connection, run_id: RunId) -> RunRow:
    found = _rows(c, [run_id])
    if not found:
        raise NotFound(f"there is no run {run_id}", hint="`swarm ps` lists them.")
    return found[0]


def rows(
    c: sa.Connection, repo: str = "", *, trash: bool = False, past: int | None = None
) -> tuple[RunRow, ...]:
    """The newest run of every task; those in the trash only when asked for, and then nothing else.

    With `past`, at most so many that have landed.
    """
    chosen = tasks.newest(repo, past)
    thrown = RUN.c.state == str(RunState.DISCARDED)
    ids = c.execute(chosen.where(thrown if trash else ~thrown)).scalars().all()
    parts = (ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE))
    found = [each for part in parts for each in _rows(c, part)]
    return tuple(sorted(found, key=lambda each: each.run.created, reverse=True))


def _rows(c: sa.Connection, chosen: Chosen) -> tuple[RunRow, ...]:
    tasks_, questions = _tasks(c, chosen), _questions(c, chosen)
    reviews_, checks, activity = _reviews(c, chosen), _checks(c, chosen), _activity(c, chosen)
    return tuple(
        RunRow(
            run=run,
            task=tasks_[run.task],
            question=questions.get(run.id),
            review=reviews_.get(run.id),
            checks=tuple(checks[run.id]),
            activity=activity[run.id][0],
            activity_at=activity[run.id][1],
        )
        for run in tasks.runs_among(c, chosen)
    )


def _tasks(c: sa.Connection, chosen: Chosen) -> dict[str, Task]:
    query = sa.select(TASK).join(RUN, RUN.c.task == TASK.c.id).where(RUN.c.id.in_(chosen))
    return {row.id: value(row, Task) for row in c.execute(query)}


def _questions(c: sa.Connection, chosen: Chosen) -> dict[str, Approval]:
    """The oldest open question of each run."""
    still_open = sa.select(APPROVAL).where(APPROVAL.c.answer.is_(None), APPROVAL.c.run.in_(chosen))
    newest_first = c.execute(still_open.order_by(APPROVAL.c.opened.desc()))
    return {row.run: value(row, Approval) for row in newest_first}


def _reviews(c: sa.Connection, chosen: Chosen) -> dict[str, ReviewId]:
    """The review that waits for a person, of each run that is in review."""
    query = (
        sa.select(REVIEW.c.run, REVIEW.c.id)
        .join(RUN, RUN.c.id == REVIEW.c.run)
        .where(RUN.c.state == str(RunState.IN_REVIEW), REVIEW.c.run.in_(chosen))
        .order_by(REVIEW.c.round)
    )
    return {row.run: ReviewId(row.id) for row in c.execute(query)}


def _checks(c: sa.Connection, chosen: Chosen) -> dict[str, list[CheckResult]]:
    """Of each run, the checks of the newest turn that was checked."""
    newest = (
        sa.select(CHECK.c.run, sa.func.max(CHECK.c.turn).label("turn"))
        .where(CHECK.c.run.in_(chosen))
        .group_by(CHECK.c.run)
        .subquery()
    )
    same = sa.and_(CHECK.c.run == newest.c.run, CHECK.c.turn == newest.c.turn)
    found: dict[str, list[CheckResult]] = defaultdict(list)
    for row in c.execute(sa.select(CHECK).join(newest, same).order_by(CHECK.c.number)):
        found[row.run].append(value(row, CheckResult))
    return found


def _activity(c: sa.Connection, chosen: Chosen) -> dict[str, tuple[str, float | None]]:
    query = sa.select(RUN.c.id, RUN.c.activity, RUN.c.activity_at).where(RUN.c.id.in_(chosen))
    return {row.id: (row.activity, row.activity_at) for row in c.execute(query)}
