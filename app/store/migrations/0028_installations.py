"""What the containers and volumes of a host are labelled with."""

import sqlalchemy as sa

from app.store.schema import ensure
from app.store.tables import INSTALLATION


def state(connection: sa.Connection) -> None:
    ensure(connection, INSTALLATION)


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
