"""Versioned migrations: forward only, in order, each in one transaction, counted in the database.

A migration is a file `migrations/NNNN_name.py` with `def state(connection)` and `def log(connection)`.
"""

import importlib
import pkgutil
import re
from types import ModuleType
from typing import Literal

import sqlalchemy as sa

from app.domain.errors import EnvironmentProblem
from app.store import migrations

Part = Literal["state", "log"]

_META = sa.MetaData()
_VERSION = sa.Table(
    "swarm_schema",
    _META,
    sa.Column("part", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)


def upgrade(state: sa.Engine, log: sa.Engine) -> None:
    """Bring both parts to the newest version; refuse, untouched, what a newer swarm has written."""
    found = _found()
    _upgrade(state, "state", found)
    _upgrade(log, "log", found)


def _found() -> dict[int, ModuleType]:
    names = (module.name for module in pkgutil.iter_modules(migrations.__path__))
    numbered = {int(n[:4]): n for n in names if re.match(r"\d{4}_", n)}
    return {
        number: importlib.import_module(f"{migrations.__name__}.{name}")
        for number, name in sorted(numbered.items())
    }


def _upgrade(engine: sa.Engine, part: Part, found: dict[int, ModuleType]) -> None:
    with engine.begin() as connection:
        have = _version(connection, part)
        if have > max(found):
            raise EnvironmentProblem(
                f"the state in {_place(engine)} was written by a newer swarm "
                f"(schema {have}, this version knows {max(found)})",
                hint="Run the newer swarm, or point SWARM_STATE_DIR at another directory.",
            )
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
