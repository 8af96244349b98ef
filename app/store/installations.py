"""What the containers and volumes of a host are labelled with, kept where it is not lost with a file."""

import sqlalchemy as sa

from app.store.sql import insert_once
from app.store.tables import INSTALLATION


def installation(c: sa.Connection, host: str) -> str:
    """The label of that host; empty when none is known."""
    query = sa.select(INSTALLATION.c.id).where(INSTALLATION.c.host == host)
    found: str | None = c.execute(query).scalar()
    return found or ""


def remember(c: sa.Connection, host: str, label: str) -> None:
    """From now on that host labels with this."""
    if not insert_once(c, INSTALLATION, host=host, id=label):
        c.execute(sa.update(INSTALLATION).where(INSTALLATION.c.host == host).values(id=label))
