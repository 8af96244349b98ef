"""Budgets above the run's: sums for all that can have a cap, and a ledger that says what each charge was for."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import HOLD, RAISE, RUN, SPEND, TALLY, TASK, WARNING


def state(connection: sa.Connection) -> None:
    for table in (TASK, HOLD, SPEND, TALLY, WARNING, RAISE):
        ensure(connection, table)
    _file(connection)
    _sum(connection)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""


def _file(connection: sa.Connection) -> None:
    """File the charges there are under what they were for."""
    query = (
        sa.select(
            SPEND.c.hold, HOLD.c.opened, RUN.c.task, RUN.c.agent, TASK.c.repo, TASK.c.submitter
        )
        .select_from(
            SPEND.join(HOLD, HOLD.c.id == SPEND.c.hold)
            .join(RUN, RUN.c.id == SPEND.c.run)
            .join(TASK, TASK.c.id == RUN.c.task)
        )
        .where(SPEND.c.task == "")
    )
    for row in connection.execute(query).fetchall():
        connection.execute(
            sa.update(SPEND)
            .where(SPEND.c.hold == row.hold)
            .values(
                task=row.task,
                agent=row.agent,
                repo=row.repo,
                user=row.submitter,
                day=_day(row.opened),
            )
        )


def _sum(connection: sa.Connection) -> None:
    """Count what was spent; holds that are open were made by a supervisor that is gone, and know their tallies."""
    sums: dict[str, tuple[int, int]] = {}
    for row in connection.execute(sa.select(SPEND)).fetchall():
        tokens = row.input + row.output + row.cache_read + row.cache_write
        for key in _keys(row.run, row.task, row.agent, row.repo, row.day):
            spent, used = sums.get(key, (0, 0))
            sums[key] = (spent + row.micros, used + tokens)
    held = _held(connection)
    for key in sums.keys() | held.keys():
        spent, used = sums.get(key, (0, 0))
        connection.execute(
            sa.insert(TALLY).values(key=key, spent=spent, tokens=used, held=held.get(key, 0))
        )


def _held(connection: sa.Connection) -> dict[str, int]:
    sums: dict[str, int] = {}
    query = (
        sa.select(HOLD, RUN.c.task, RUN.c.agent, TASK.c.repo)
        .join(RUN, RUN.c.id == HOLD.c.run)
        .join(TASK, TASK.c.id == RUN.c.task)
        .where(HOLD.c.settled.is_(None))
    )
    for row in connection.execute(query).fetchall():
        keys = _keys(row.run, row.task, row.agent, row.repo, _day(row.opened))
        connection.execute(sa.update(HOLD).where(HOLD.c.id == row.id).values(tallies=keys))
        for key in keys:
            sums[key] = sums.get(key, 0) + row.micros
    return sums


def _keys(run: str, task: str, agent: str, repo: str, day: str) -> list[str]:
    month = day[:7]
    return [
        f"run/{run}",
        f"task/{task}",
        f"agent/{agent}/{day}",
        f"agent/{agent}/{month}",
        f"repository/{repo}/{day}",
        f"repository/{repo}/{month}",
        f"day/{day}",
        f"month/{month}",
    ]


def _day(at: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
