"""What runs may reach besides models, and what they asked for."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import GRANT, NETWORK, TASK


def state(connection: sa.Connection) -> None:
    for table in (TASK, NETWORK, GRANT):
        ensure(connection, table)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
