"""What people's files said about the content of changes when a task was submitted."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import TASK


def state(connection: sa.Connection) -> None:
    ensure(connection, TASK)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
