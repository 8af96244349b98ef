"""Images that a person approved for a repository."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import APPROVED_IMAGE


def state(connection: sa.Connection) -> None:
    ensure(connection, APPROVED_IMAGE)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
