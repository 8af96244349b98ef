"""Charges keep the rates they were made with, and the flow they were made for."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import SPEND, TASK


def state(connection: sa.Connection) -> None:
    ensure(connection, SPEND)
    flow = sa.select(TASK.c.flow).where(TASK.c.id == SPEND.c.task).scalar_subquery()
    theirs = sa.select(TASK.c.id).where(TASK.c.flow != "")
    connection.execute(sa.update(SPEND).where(SPEND.c.task.in_(theirs)).values(flow=flow))


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
