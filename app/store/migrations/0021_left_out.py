"""What a person left out of a change."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import REVIEW


def state(connection: sa.Connection) -> None:
    ensure(connection, REVIEW)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
