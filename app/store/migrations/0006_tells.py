"""What people say to agents at work."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import TELL


def state(connection: sa.Connection) -> None:
    ensure(connection, TELL)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
