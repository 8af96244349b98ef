"""Turns that a person takes over, and how they are handed back."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import RUN, TURN


def state(connection: sa.Connection) -> None:
    ensure(connection, RUN)
    ensure(connection, TURN)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
