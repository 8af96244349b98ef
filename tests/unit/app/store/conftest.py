"""A database as a supervisor opens it, without the engine's own tables."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.store import migrate
from app.store.database import make_engine, sqlite_url


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[tuple[sa.Engine, sa.Engine]]:
    """State and log, migrated."""
    state, log = (make_engine(sqlite_url(tmp_path / name)) for name in ("state.db", "events.db"))
    migrate.upgrade(state, log)
    yield state, log
    state.dispose()
    log.dispose()


@pytest.fixture
def state(engines: tuple[sa.Engine, sa.Engine]) -> Iterator[sa.Connection]:
    with engines[0].begin() as connection:
        yield connection


@pytest.fixture
def log(engines: tuple[sa.Engine, sa.Engine]) -> Iterator[sa.Connection]:
    with engines[1].begin() as connection:
        yield connection
