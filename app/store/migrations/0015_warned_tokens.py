"""Thresholds of budgets in tokens."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import WARNING


def state(connection: sa.Connection) -> None:
    ensure(connection, WARNING)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
