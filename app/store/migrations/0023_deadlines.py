"""When a question that nobody answers is answered with no."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import APPROVAL


def state(connection: sa.Connection) -> None:
    ensure(connection, APPROVAL)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
