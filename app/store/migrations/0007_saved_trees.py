"""Whether what a run's sandbox held was saved before it goes."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import RUN


def state(connection: sa.Connection) -> None:
    ensure(connection, RUN)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
