"""Several hosts on one database, and who may ask them from afar."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import HOST, RUN, TASK, TOKEN


def state(connection: sa.Connection) -> None:
    for table in (HOST, TOKEN, TASK, RUN):
        ensure(connection, table)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
