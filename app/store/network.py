"""What runs may reach besides models, and what they asked for."""

from typing import Final

import msgspec
import sqlalchemy as sa

from app.domain.ids import RunId
from app.domain.network import Grant, Knock, NetworkRow, NetworkRules
from app.store.sql import insert_once, value
from app.store.tables import GRANT, NETWORK, RUN, TASK

MOST_ROWS: Final = 300
"""Of one run: an agent that makes names up fills no disk with them."""
OTHERS: Final = "(others)"
"""Stands for the hosts beyond those."""


def rules(c: sa.Connection, run: RunId) -> NetworkRules:
    """What the run's task allows."""
    query = sa.select(TASK.c.network).join(RUN, RUN.c.task == TASK.c.id).where(RUN.c.id == run)
    return msgspec.convert(c.execute(query).scalar_one(), NetworkRules)


def allowed(c: sa.Connection, run: RunId) -> frozenset[str]:
    """The hosts the run may reach now."""
    return frozenset(rules(c, run).hosts) | {grant.host for grant in grants(c, run)}


def left(c: sa.Connection, run: RunId) -> int:
    """Bytes the run may still send and receive."""
    passed = sa.func.coalesce(sa.func.sum(NETWORK.c.sent + NETWORK.c.received), 0)
    used = c.execute(sa.select(passed).where(NETWORK.c.run == run)).scalar_one()
    return rules(c, run).bytes - int(used)


def grant(c: sa.Connection, run: RunId, host: str, *, by: str, at: float) -> bool:
    """Allow a host for that run; whether it was not allowed by anybody before."""
    return insert_once(c, GRANT, run=run, host=host, by=by, at=at)


def grants(c: sa.Connection, run: RunId) -> tuple[Grant, ...]:
    """What people allowed for that run, oldest first."""
    query = sa.select(GRANT).where(GRANT.c.run == run).order_by(GRANT.c.at, GRANT.c.host)
    return tuple(value(row, Grant) for row in c.execute(query))


def note(c: sa.Connection, run: RunId, knock: Knock, *, now: float) -> bool:
    """Count a knock; whether it is the first of its kind."""
    host, why = knock.host, str(knock.refused or "")
    if new := not _known(c, run, host, why):
        if _rows(c, run) >= MOST_ROWS:
            host = OTHERS
        new = insert_once(c, NETWORK, run=run, host=host, why=why, first=now, last=now)
    row = (NETWORK.c.run == run, NETWORK.c.host == host, NETWORK.c.why == why)
    c.execute(
        sa.update(NETWORK)
        .where(*row)
        .values(
            times=NETWORK.c.times + knock.times,
            sent=NETWORK.c.sent + knock.sent,
            received=NETWORK.c.received + knock.received,
            last=now,
        )
    )
    return new


def rows(c: sa.Connection, run: RunId) -> tuple[NetworkRow, ...]:
    """All that the run asked for, the newest last."""
    let_through = sa.case((NETWORK.c.why == "", sa.true()), else_=sa.false()).label("allowed")
    query = sa.select(NETWORK, let_through).where(NETWORK.c.run == run)
    found = c.execute(query.order_by(NETWORK.c.last, NETWORK.c.host))
    return tuple(value(row, NetworkRow) for row in found)


def _known(c: sa.Connection, run: RunId, host: str, why: str) -> bool:
    query = sa.select(NETWORK.c.run).where(
        NETWORK.c.run == run, NETWORK.c.host == host, NETWORK.c.why == why
    )
    return c.execute(query).first() is not None


def _rows(c: sa.Connection, run: RunId) -> int:
    return c.execute(
        sa.select(sa.func.count()).select_from(NETWORK).where(NETWORK.c.run == run)
    ).scalar_one()
