"""Versioned migrations: forward only, in order, all in one transaction, counted in the database.

A migration is a file `migrations/NNNN_name.py` with `def state(connection)` and `def log(connection)`.
"""

import contextlib
import importlib
import logging
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Literal

import sqlalchemy as sa

from app.domain.errors import EnvironmentProblem
from app.store import migrations
from app.store.backup import back_up
from app.store.refusals import opening

Part = Literal["state", "log"]

_log = logging.getLogger(__name__)

_MIGRATING = 7_245_300
"""The advisory lock of whoever changes the tables."""
_META = sa.MetaData()
_VERSION = sa.Table(
    "swarm_schema",
    _META,
    sa.Column("part", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)


def upgrade(state: sa.Engine, log: sa.Engine) -> None:
    """Bring both parts to the newest version; refuse, untouched, what a newer swarm has written.

    A SQLite database that holds anything is copied first, into `backups` beside it.
    """
    found = _found()
    parts: tuple[tuple[Part, sa.Engine], ...] = (("state", state), ("log", log))
    for part, engine in parts:
        with opening(engine), _alone(engine):
            have = _have(engine, part, max(found))
            if 0 < have < max(found) and (copy := back_up(engine, have)):
                _log.info("schema %d of the %s is kept in %s", have, part, copy)
            _upgrade(engine, part, found)


@contextlib.contextmanager
def _alone(engine: sa.Engine) -> Iterator[None]:
    """Other hosts that start at the same moment wait; a file has the lock of its state directory."""
    if engine.dialect.name == "sqlite":
        yield
        return
    with engine.begin() as connection:
        # It says nothing more until all is done, however long another connection needs for that.
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
        yield


def _found() -> dict[int, ModuleType]:
    names = (module.name for module in pkgutil.iter_modules(migrations.__path__))
    numbered = {int(n[:4]): n for n in names if re.match(r"\d{4}_", n)}
    return {
        number: importlib.import_module(f"{migrations.__name__}.{name}")
        for number, name in sorted(numbered.items())
    }


def _have(engine: sa.Engine, part: Part, newest: int) -> int:
    with engine.begin() as connection:
        have = _version(connection, part)
    if have > newest:
        raise EnvironmentProblem(
            f"the state in {_place(engine)} was written by a newer swarm "
            f"(schema {have}, this version knows {newest})",
            hint="Run the newer swarm, or point SWARM_STATE_DIR at another directory.",
        )
    return have


def _upgrade(engine: sa.Engine, part: Part, found: dict[int, ModuleType]) -> None:
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            # Python's driver begins by itself only before rows are changed: tables would change one by one.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        have = _version(connection, part)
        for number in range(have + 1, max(found) + 1):
            getattr(found[number], part)(connection)
            _record(connection, part, number)


def _version(connection: sa.Connection, part: Part) -> int:
    if not sa.inspect(connection).has_table(_VERSION.name):
        _META.create_all(connection, checkfirst=True)
        return 0
    have = connection.execute(sa.select(_VERSION.c.version).where(_VERSION.c.part == part))
    return have.scalar() or 0


def _record(connection: sa.Connection, part: Part, number: int) -> None:
    connection.execute(sa.delete(_VERSION).where(_VERSION.c.part == part))
    connection.execute(sa.insert(_VERSION).values(part=part, version=number))


def _place(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=True)
