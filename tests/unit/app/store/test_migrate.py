"""Migrations: forward only; what a newer version wrote is left alone."""

import contextlib
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from app.domain.errors import EnvironmentProblem, SwarmError
from app.store import migrate
from app.store.database import Database, make_engine, sqlite_url
from app.store.tables import LOG, STATE

Engines = tuple[sa.Engine, sa.Engine]
FIRST = (
    (Path(__file__).parents[3] / "data" / "schema-1.sql").read_text()
    + """
create table swarm_schema (part text primary key, version integer not null);
insert into swarm_schema values ('state', 1);
"""
)


def schema(engine: sa.Engine) -> set[tuple[str, str]]:
    """Every column of every table, with its type."""
    look = sa.inspect(engine)
    return {
        (f"{table}.{column['name']}", str(column["type"]))
        for table in look.get_table_names()
        for column in look.get_columns(table)
        if table != "swarm_schema"
    }


@pytest.mark.parametrize(("part", "tables"), [(0, STATE), (1, LOG)])
def test_the_migrations_make_exactly_the_tables_the_code_works_with(
    engines: Engines, tmp_path: Path, part: int, tables: sa.MetaData
) -> None:
    fresh = make_engine(sqlite_url(tmp_path / "fresh.db"))
    tables.create_all(fresh)
    assert schema(engines[part]) == schema(fresh)
    fresh.dispose()


def test_upgrading_again_changes_nothing(engines: Engines) -> None:
    before = [schema(engine) for engine in engines]
    migrate.upgrade(*engines)
    assert [schema(engine) for engine in engines] == before


def test_a_fresh_state_needs_no_backup(engines: Engines) -> None:
    assert not (Path(str(engines[0].url.database)).parent / "backups").exists()


@pytest.mark.parametrize("part", ["state", "log"])
def test_a_newer_schema_is_refused_and_named(engines: Engines, part: str) -> None:
    engine = engines[0] if part == "state" else engines[1]
    with engine.begin() as c:
        c.exec_driver_sql(f"update swarm_schema set version = 99 where part = '{part}'")
    with pytest.raises(EnvironmentProblem, match="written by a newer swarm") as refused:
        migrate.upgrade(*engines)
    assert str(engine.url.database) in refused.value.message
    assert "SWARM_STATE_DIR" in refused.value.hint


@pytest.mark.parametrize(
    "wrong", ["alter table nowhere add column more", "insert into swarm_schema values (null, 0)"]
)
def test_a_wrong_migration_is_told_as_a_bug_and_changes_nothing(
    engines: Engines, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    found = dict(migrate._found())
    found[max(found) + 1] = SimpleNamespace(state=lambda c: c.exec_driver_sql(wrong))  # type: ignore[assignment]
    monkeypatch.setattr(migrate, "_found", lambda: found)
    before = schema(engines[0])
    with pytest.raises(SwarmError, match="could not be brought up to date") as told:
        migrate.upgrade(*engines)
    assert not isinstance(told.value, EnvironmentProblem)
    assert "bug of swarm" in told.value.hint
    assert schema(engines[0]) == before


KILLED = """
import os, signal, sys
from app.store import migrate
from app.store.database import Database, make_engine, sqlite_url
newest = max((found := migrate._found()).items())[1]
whole = newest.state
def cut_off(connection):
    whole(connection)
    os.kill(os.getpid(), signal.SIGKILL)
newest.state = cut_off
migrate.upgrade(*(make_engine(sqlite_url(name)) for name in sys.argv[1:]))
"""


def tables_of(file: Path) -> set[str]:
    with contextlib.closing(sqlite3.connect(file)) as database:
        found = database.execute("select sql from sqlite_master where name not like 'swarm_schema'")
        return {sql for (sql,) in found if sql}


@pytest.mark.parametrize("before", ["", FIRST], ids=["nothing", "the first schema"])
def test_a_migration_cut_off_by_a_kill_leaves_what_was_and_is_made_at_the_next_start(
    tmp_path: Path, before: str
) -> None:
    files = [tmp_path / "state.db", tmp_path / "events.db"]
    with contextlib.closing(sqlite3.connect(files[0])) as old:
        old.executescript(before)
    as_it_was = tables_of(files[0])
    done = subprocess.run([sys.executable, "-c", KILLED, *map(str, files)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert tables_of(files[0]) == as_it_was
    state, log = (make_engine(sqlite_url(file)) for file in files)
    migrate.upgrade(state, log)
    assert {name for name, _ in schema(state)} >= {"run.id", "approval.id"}


@pytest.mark.parametrize("left", [None, b""], ids=["gone", "empty"])
def test_a_state_that_is_lost_is_not_taken_for_a_new_start(
    tmp_path: Path, left: bytes | None
) -> None:
    Database.open(tmp_path).close()
    for file in tmp_path.glob("state.db*"):
        file.unlink()
    if left is not None:
        (tmp_path / "state.db").write_bytes(left)
    with pytest.raises(EnvironmentProblem, match=r"state\.db is (empty|not there)") as refused:
        Database.open(tmp_path)
    assert "`backups`" in refused.value.hint
    (tmp_path / "events.db").rename(tmp_path / "away.db")
    Database.open(tmp_path).close()
