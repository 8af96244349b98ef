"""What a task's model traffic is recorded to, or answered from."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import TASK


def state(connection: sa.Connection) -> None:
    ensure(connection, TASK)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
