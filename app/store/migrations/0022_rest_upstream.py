"""Runs that wait for a model API which does not answer."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import REST


def state(connection: sa.Connection) -> None:
    ensure(connection, REST)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
