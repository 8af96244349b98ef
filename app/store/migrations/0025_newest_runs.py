"""The newest runs in a state, open questions and turns of late are found without looking at all of them."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import APPROVAL, RUN, TURN


def state(connection: sa.Connection) -> None:
    for table in (RUN, APPROVAL, TURN):
        ensure(connection, table)
    # It is the beginning of a new one.
    connection.exec_driver_sql("DROP INDEX IF EXISTS ix_run_state")


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
