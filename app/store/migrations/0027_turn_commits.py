"""What each turn left in the tree, and the commits that a rebase lands."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import REVIEW, TURN


def state(connection: sa.Connection) -> None:
    ensure(connection, TURN)
    ensure(connection, REVIEW)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
