"""The first schema: everything of tables.py."""

import sqlalchemy as sa

from app.store.tables import LOG, STATE


def state(connection: sa.Connection) -> None:
    STATE.create_all(connection)


def log(connection: sa.Connection) -> None:
    LOG.create_all(connection)
