"""Migrations: forward only; what a newer version wrote is left alone."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from app.domain.errors import EnvironmentProblem
from app.store import migrate
from app.store.database import make_engine, sqlite_url
from app.store.tables import LOG, STATE

Engines = tuple[sa.Engine, sa.Engine]


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
