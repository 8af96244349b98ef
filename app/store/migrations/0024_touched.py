"""Which files a run changes, known on every host without its commits."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import TOUCHED


def state(connection: sa.Connection) -> None:
    ensure(connection, TOUCHED)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
