"""Who gets a task, what becomes of it, and what a run hands to the next."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import BUNDLE, OUTCOME, ROUTE, RUN_END, TASK


def state(connection: sa.Connection) -> None:
    for table in (TASK, ROUTE, RUN_END, OUTCOME, BUNDLE):
        ensure(connection, table)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
