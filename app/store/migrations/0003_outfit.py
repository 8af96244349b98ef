"""What a tree needs besides its commit, whether it has it, and the ports a run may use."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import RUN, TASK


def state(connection: sa.Connection) -> None:
    for table in (TASK, RUN):
        ensure(connection, table)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
