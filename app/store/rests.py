"""Runs that are parked until a time, and then go on by themselves."""

import sqlalchemy as sa

from app.domain.ids import RunId
from app.store.tables import REST


def put(c: sa.Connection, run: RunId, until: float, *, host: str, why: str) -> None:
    """Note when the run goes on; a later time replaces an earlier one."""
    forget(c, run)
    c.execute(sa.insert(REST).values(run=run, until=until, host=host, why=why))


def forget(c: sa.Connection, run: RunId) -> None:
    """The run goes on, or does not, for another reason."""
    c.execute(sa.delete(REST).where(REST.c.run == run))


def until(c: sa.Connection, run: RunId) -> float | None:
    """When the run goes on by itself, if it does."""
    found: float | None = c.execute(sa.select(REST.c.until).where(REST.c.run == run)).scalar()
    return found


def due(c: sa.Connection, *, host: str, now: float) -> tuple[RunId, ...]:
    """The runs of that host whose time has come."""
    query = sa.select(REST.c.run).where(REST.c.host == host, REST.c.until <= now)
    return tuple(RunId(run) for run in c.execute(query.order_by(REST.c.until)).scalars())
