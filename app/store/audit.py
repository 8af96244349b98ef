"""The audit table: rows are only ever added, once per key."""

import sqlalchemy as sa

from app.domain.ids import RunId
from app.store import tasks
from app.store.sql import insert_once, value
from app.store.tables import AUDIT
from app.wire import AuditRow


def record(
    c: sa.Connection,
    /,
    *,
    key: str,
    what: str,
    actor: str,
    at: float,
    run: RunId | None = None,
    **detail: str,
) -> bool:
    """Add a row; nothing when one of that key is there, so that a repeated step records once."""
    return insert_once(
        c, AUDIT, key=key, at=at, actor=actor or "unknown", what=what, run=run, detail=detail
    )


def deed(c: sa.Connection, run: RunId, /, what: str, *, by: str, at: float, **detail: str) -> int:
    """Add the row of what a person did with a run; its number among the run's rows names the work that follows."""
    tasks.hold(c, run)
    number = len(rows(c, run)) + 1
    record(c, key=f"{run}/{number}/{what}", what=what, actor=by, at=at, run=run, **detail)
    return number


def rows(c: sa.Connection, run: RunId | None = None) -> tuple[AuditRow, ...]:
    query = sa.select(AUDIT).order_by(AUDIT.c.number)
    if run:
        query = query.where(AUDIT.c.run == run)
    return tuple(value(row, AuditRow) for row in c.execute(query))
