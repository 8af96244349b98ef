"""A state of the first version is carried over with its money."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.domain.ids import RunId, TaskId
from app.store import budgets, costs, ledger, migrate, tasks
from app.store.database import make_engine, sqlite_url
from app.store.tables import LOG

SCHEMA = Path(__file__).parents[3] / "data" / "schema-1.sql"
"""As the first version made it."""
ROWS = """
insert into task (id, goal, repo, target, base, agent, checks, budget, approvals, max_turns, created, submitter)
  values ('aaaaa', 'g', '/r', 'main', 'main', 'claude-code', '[]', 1000000, 'balanced', 3, 0, 'ada');
insert into run (id, task, number, state, agent, harness, model, sandbox, budget, created)
  values ('aaaaa.1', 'aaaaa', 1, 'working', 'claude-code', 'claude-code', 'm', 'docker', 1000000, 0);
insert into hold values ('h1', 'aaaaa.1', 500, 'm', 86400, 86401), ('h2', 'aaaaa.1', 700, 'm', 86400, null);
insert into spend values ('h1', 'aaaaa.1', 86401, 'm', 400, 10, 20, 30, 40, 'metered', 'list');
create table swarm_schema (part text primary key, version integer not null);
insert into swarm_schema values ('state', 1);
"""
RUN = RunId("aaaaa.1")


@pytest.fixture
def c(tmp_path: Path) -> Iterator[sa.Connection]:
    state, log = (make_engine(sqlite_url(tmp_path / name)) for name in ("state.db", "events.db"))
    raw = state.raw_connection()
    raw.driver_connection.executescript(SCHEMA.read_text() + ROWS)  # type: ignore[union-attr]
    raw.close()
    LOG.create_all(log)
    migrate.upgrade(state, log)
    with state.begin() as connection:
        yield connection
    for engine in (state, log):
        engine.dispose()


def test_the_state_as_it_was_is_kept_beside_it(c: sa.Connection, tmp_path: Path) -> None:
    (kept,) = (tmp_path / "backups").iterdir()
    with contextlib.closing(sqlite3.connect(kept)) as before:
        assert before.execute("pragma integrity_check").fetchone() == ("ok",)
        assert before.execute("select sum(micros) from spend").fetchone() == (400,)
        assert before.execute("select version from swarm_schema").fetchone() == (1,)
    assert kept.name == "state-schema-0001.db"
    assert kept.stat().st_mode & 0o777 == 0o600


def test_what_was_spent_and_held_still_counts(c: sa.Connection) -> None:
    money = budgets.room(c, RUN, 86_500.0).money
    assert (money.left, money.held) == (1_000_000 - 400 - 700, 700)


@pytest.mark.parametrize(
    ("by", "key"), [("task", "aaaaa"), ("user", "ada"), ("repo", "/r"), ("day", "1970-01-02")]
)
def test_old_charges_are_filed_like_new_ones(c: sa.Connection, by: costs.By, key: str) -> None:
    assert [(line.key, line.micros) for line in costs.costs(c, by)] == [(key, 400)]


def test_a_call_that_was_under_way_is_charged_to_everything_it_counts_against(
    c: sa.Connection,
) -> None:
    ledger.settle_lost(c, now=86_500.0, host="here")
    for key in ("run/aaaaa.1", "task/aaaaa", "agent/claude-code/1970-01-02", "month/1970-01"):
        tally = budgets.tallies(c, [key])[key]
        assert (tally.spent, tally.held) == (1100, 0)


def test_old_tasks_have_no_limits_of_the_new_kinds(c: sa.Connection) -> None:
    assert tasks.task(c, TaskId("aaaaa")).limits.tokens is None
