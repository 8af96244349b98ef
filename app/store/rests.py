"""Runs that are parked until a time, and then go on by themselves."""

from typing import NamedTuple

import sqlalchemy as sa

from app.domain.ids import RunId
from app.store.tables import REST


class Due(NamedTuple):
    """A run whose time has come."""

    run: RunId
    upstream: str
    """The model API that has to answer first; empty for none."""


def put(
    c: sa.Connection, run: RunId, until: float, *, host: str, why: str, upstream: str = ""
) -> None:
    """Note when the run goes on; a later time replaces an earlier one."""
    forget(c, run)
    row = {"run": run, "until": until, "host": host, "why": why, "upstream": upstream}
    c.execute(sa.insert(REST).values(**row))


def later(c: sa.Connection, upstream: str, until: float, *, host: str) -> None:
    """Those that wait for that model API wait on."""
    waiting = sa.update(REST).where(REST.c.upstream == upstream, REST.c.host == host)
    c.execute(waiting.where(REST.c.until < until).values(until=until))


def upstream(c: sa.Connection, run: RunId) -> str:
    """The model API that the run waits for; empty for none."""
    return c.execute(sa.select(REST.c.upstream).where(REST.c.run == run)).scalar() or ""


def forget(c: sa.Connection, run: RunId) -> None:
    """The run goes on, or does not, for another reason."""
    c.execute(sa.delete(REST).where(REST.c.run == run))


def until(c: sa.Connection, run: RunId) -> float | None:
    """When the run goes on by itself, if it does."""
    found: float | None = c.execute(sa.select(REST.c.until).where(REST.c.run == run)).scalar()
    return found


def due(c: sa.Connection, *, host: str, now: float) -> tuple[Due, ...]:
    """The runs of that host whose time has come."""
    query = sa.select(REST.c.run, REST.c.upstream).where(REST.c.host == host, REST.c.until <= now)
    return tuple(
        Due(RunId(row.run), row.upstream) for row in c.execute(query.order_by(REST.c.until))
    )
