"""Budgets of time can be raised."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import RAISE


def state(connection: sa.Connection) -> None:
    ensure(connection, RAISE)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
