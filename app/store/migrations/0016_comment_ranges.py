"""The last line of comments on more than one."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import COMMENT


def state(connection: sa.Connection) -> None:
    ensure(connection, COMMENT)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
