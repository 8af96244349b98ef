"""The same supervisor on PostgreSQL: the main job, and a kill at every point."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import wire
from app.domain.budget import Claim
from app.domain.errors import EnvironmentProblem
from app.domain.events import Note
from app.domain.ids import RunId, run_id, task_of
from app.domain.money import Charge, Micros
from app.domain.run import RunState
from app.store import audit, event_log, ledger, migrate, reviews, tasks
from app.store.database import Database
from app.store.event_log import Entry
from app.store.tables import STATE
from app.supervisor.money import StoreLedger
from tests.support.actions import USER
from tests.support.home import Home, home_at
from tests.support.invariants import World
from tests.support.kills import Killed, careful, configured, spread, survive
from tests.support.model_endpoint import add_run
from tests.support.nursery import Nursery, nursery
from tests.support.patience import PATIENCE
from tests.support.postgres import GUARDED, Cluster, PostgresTables, cluster
from tests.support.postgres import USER as ROLE
from tests.support.repos import make_repository
from tests.support.rows import asked, stored
from tests.support.scripts import wait_for

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("postgres")]


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as running:
        yield running


@pytest.fixture(scope="module")
def cradle() -> Iterator[Nursery]:
    with nursery() as cradle:
        yield cradle


def world_on(server: Cluster, home: Home, repo: Path) -> World:
    """A home whose configuration names a new database of the server."""
    address = server.database()
    home.configure(configured(database=address))
    return World(home, repo, PostgresTables(address))


@pytest.fixture(scope="module")
async def undisturbed(
    server: Cluster, cradle: Nursery, tmp_path_factory: pytest.TempPathFactory
) -> World:
    """The world after a task that nobody disturbed."""
    root = tmp_path_factory.mktemp("undisturbed")
    with home_at(root) as home:
        world = world_on(server, home, make_repository(root / "project"))
        return await survive(cradle, world)


def test_a_task_lands_and_every_promise_holds(undisturbed: World) -> None:
    assert undisturbed.broken() == []


def test_nothing_is_kept_in_sqlite_files(undisturbed: World) -> None:
    assert list(undisturbed.home.state.glob("*.db")) == []


@pytest.mark.parametrize("points", spread(3), ids=lambda points: points[0])
async def test_a_task_survives_kills(
    points: tuple[str, ...],
    server: Cluster,
    cradle: Nursery,
    undisturbed: World,
    home: Home,
    repo: Path,
) -> None:
    world = await survive(cradle, world_on(server, home, repo), *points)
    assert world.broken() == []
    assert world.facts() == undisturbed.facts()


def test_calls_side_by_side_never_share_the_same_money(server: Cluster) -> None:
    engine = sa.create_engine(server.database(), pool_size=8)
    run, claim = RunId("aaaaa.1"), Claim(micros=Micros(100_000), tokens=0, output=0)
    with engine.begin() as c:
        STATE.create_all(c)
        add_run(c, run, 1_000_000)

    def call(number: int) -> bool:
        caller = ledger.Caller(f"h{number}", "m")
        with engine.begin() as c:
            granted = ledger.reserve(c, run, caller, lambda _: claim, now=1.0)
        if isinstance(granted, Claim):
            with engine.begin() as c:
                ledger.settle(
                    c, hold=caller.hold, charge=Charge(micros=Micros(50_000), model="m"), now=2.0
                )
        return isinstance(granted, Claim)

    with ThreadPoolExecutor(8) as pool:
        made = sum(pool.map(call, range(64)))
    with engine.begin() as c:
        spend = ledger.spend(c, run)
    assert (spend.calls, spend.micros, spend.held) == (made, made * 50_000, 0)
    assert 10 <= made <= 19
    engine.dispose()


def test_what_is_asked_said_done_and_leased_side_by_side_never_shares_a_number(
    server: Cluster,
) -> None:
    engine = sa.create_engine(server.database(), pool_size=8)
    numbers = range(32)
    with engine.begin() as c:
        STATE.create_all(c)
        run = stored(c, runs=len(numbers))

    def all_four(number: int) -> tuple[str, int, int, int]:
        said = wire.NewComment(path="a.py", line=1, text="Why?", by="ada")
        with engine.begin() as c:
            question = asked(c, run, f"q{number}").id
        with engine.begin() as c:
            comment = reviews.add_comment(c, run, said, at=1.0).number
        with engine.begin() as c:
            deed = audit.deed(c, run, "resumed", by="ada", at=1.0)
        with engine.begin() as c:
            return question, comment, deed, tasks.lease_ports(c, run_id(task_of(run), number + 1))

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(all_four, numbers))
    assert [len(set(each)) for each in zip(*made, strict=True)] == [len(numbers)] * 4
    engine.dispose()


async def test_a_model_call_waits_while_the_server_is_away(server: Cluster, tmp_path: Path) -> None:
    run, hold = RunId("aaaaa.1"), "h1"
    claim = Claim(micros=Micros(100), tokens=0, output=0)
    database = Database.open(tmp_path, server.database())
    try:
        await database.write(add_run, run, 1_000_000)
        books = StoreLedger(database)
        server.stop()
        call = asyncio.create_task(books.reserve(run, hold, lambda _: claim, model="m", lane=""))
        await asyncio.to_thread(server.start)
        assert await call == claim
        server.stop()
        paid = asyncio.create_task(books.settle(hold, Charge(micros=Micros(70), model="m")))
        await asyncio.to_thread(server.start)
        assert (await paid).run == 70
        spend = await database.read(ledger.spend, run)
        assert (spend.calls, spend.micros, spend.held) == (1, 70, 0)
    finally:
        database.close()


async def test_a_hold_whose_answer_was_lost_is_held_once(server: Cluster, tmp_path: Path) -> None:
    run, caller = RunId("aaaaa.1"), ledger.Caller("h1", "m")
    claim = Claim(micros=Micros(100), tokens=0, output=0)
    database = Database.open(tmp_path, server.database())
    try:
        await database.write(add_run, run, 1_000_000)
        for _ in range(2):
            held = await database.write(ledger.reserve_anew, run, caller, lambda _: claim, now=1.0)
            assert held == claim
        assert (await database.read(ledger.spend, run)).held == 100
    finally:
        database.close()


async def test_what_an_agent_says_is_kept_though_a_nul_is_in_it(
    server: Cluster, tmp_path: Path
) -> None:
    database = Database.open(tmp_path, server.database())
    try:
        run = await database.write(stored)
        await database.write(tasks.update, run, activity="a\0b", wish="c")
        question = await database.write(
            lambda c: asked(c, run, title="May\0I?", detail="\0", paths=("\0",))
        )
        said = Entry(run, "1", 1.0, Note("d\0e"))
        await database.write_log(event_log.append, [said])
        assert await database.read(tasks.column, run, "activity") == "a\u2400b"
        assert (question.title, question.paths) == ("May\u2400I?", ("\0",))
        assert [each.body for each in await database.read_log(event_log.after, 0)] == [said.body]
    finally:
        database.close()


def test_a_wrong_password_is_told_and_not_shown(server: Cluster, home: Home, repo: Path) -> None:
    address = server.guarded("right")
    home.configure({"database": address.replace("swarm@", "swarm:hidden@")})
    done = home.swarm("ps", cwd=repo)
    assert done.returncode == EnvironmentProblem.exit_code
    assert "password authentication failed" in done.stderr
    assert "`database` in your config.yaml" in done.stderr
    assert "hidden" not in done.stderr


READ_ONLY = f"ALTER DATABASE {GUARDED} SET default_transaction_read_only"
CLOSED = f"ALTER DATABASE {GUARDED} ALLOW_CONNECTIONS"
HANG_UP = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{GUARDED}'"
AWAY = f"ALTER DATABASE {GUARDED} RENAME TO away"
BACK = f"ALTER DATABASE away RENAME TO {GUARDED}"
OUTAGES = {
    "read-only": ((f"{READ_ONLY} = on", HANG_UP), (f"{READ_ONLY} = off",)),
    "password authentication failed": (
        (f"ALTER ROLE {ROLE} PASSWORD 'other'", HANG_UP),
        (f"ALTER ROLE {ROLE} PASSWORD 'right'",),
    ),
    'relation "run" does not exist': (
        (f"{CLOSED} false", HANG_UP, AWAY, f"CREATE DATABASE {GUARDED}"),
        (f"{CLOSED} false", HANG_UP, f"DROP DATABASE {GUARDED}", BACK, f"{CLOSED} true"),
    ),
    "does not exist": (
        (f"{CLOSED} false", HANG_UP, AWAY),
        (BACK, f"{CLOSED} true"),
    ),
}
"""What is told, and how it begins and ends: a failover, another password, a database that is empty, or gone."""


@pytest.fixture(scope="module")
async def outages(
    server: Cluster, cradle: Nursery, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[World, list[str]]]:
    """One run at work through all of them, and what a person was told each time; its supervisor never ended."""
    root = tmp_path_factory.mktemp("outages")
    with home_at(root) as home:
        gates = [root / f"gate-{number}" for number in range(len(OUTAGES))]
        address = server.guarded("right").replace("swarm@", "swarm:right@")
        waits = [wait_for(str(gate), f"gate {gate.name}") for gate in gates]
        home.configure(configured(agents={"careful": careful("hello", *waits)}, database=address))
        world = World(home, make_repository(root / "project"), PostgresTables(address))
        with Killed(cradle, world) as user:
            run = await user.submit()
            await user.until(run, RunState.WORKING)
            told = []
            for gate, (begins, ends) in zip(gates, OUTAGES.values(), strict=True):
                server.says(*begins)
                gate.touch()
                told.append(await _refused(user, run))
                server.says(*ends)
            await user.approve(run)
            await user.idle()
            user.stop()
            assert user.starts == 1
        yield world, told


async def _refused(user: Killed, run: str) -> str:
    """What somebody is told who says a word to the agent; nothing of it is taken in."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await user.client.tell(RunId(run), wire.Tell(text="Mind the gap", by=USER))
            except EnvironmentProblem as error:
                return str(error)
            await asyncio.sleep(0.05)


async def test_while_the_database_may_not_be_written_or_reached_a_person_is_told_why(
    outages: tuple[World, list[str]],
) -> None:
    told = outages[1]
    assert [words in said for words, said in zip(OUTAGES, told, strict=True)] == [True] * 4, told


async def test_once_it_is_right_again_the_run_goes_on_by_itself_and_lands(
    outages: tuple[World, list[str]],
) -> None:
    assert outages[0].broken() == []


def test_tables_of_an_earlier_version_are_brought_up_to_date(server: Cluster) -> None:
    old, fresh = (sa.create_engine(server.database()) for _ in range(2))
    first = (Path(__file__).parents[1] / "data" / "schema-1.sql").read_text()
    first = first.replace("BOOLEAN DEFAULT 0", "BOOLEAN DEFAULT false")
    with old.begin() as c:
        c.exec_driver_sql(first)
        c.exec_driver_sql("create table swarm_schema (part text primary key, version integer)")
        c.exec_driver_sql("insert into swarm_schema values ('state', 1)")
    for engine in (old, fresh):
        migrate.upgrade(engine, engine)
    assert columns(old) == columns(fresh)
    old.dispose()
    fresh.dispose()


CUT_OFF = """
import os, signal, sys
from app.store import migrate
from app.store.database import make_engine
newest = max(migrate._found().items())[1]
whole = newest.state
def cut_off(connection):
    whole(connection)
    os.kill(os.getpid(), signal.SIGKILL)
newest.state = cut_off
engine = make_engine(sys.argv[1])
migrate.upgrade(engine, engine)
"""


def test_a_migration_cut_off_by_a_kill_leaves_what_was_and_is_made_at_the_next_start(
    server: Cluster,
) -> None:
    address = server.database()
    cut, whole = (sa.create_engine(url) for url in (address, server.database()))
    done = subprocess.run([sys.executable, "-c", CUT_OFF, address], check=False)
    assert done.returncode == -signal.SIGKILL
    assert {each for each in columns(cut) if not each.startswith("swarm_schema.")} == set()
    for engine in (cut, whole):
        migrate.upgrade(engine, engine)
    assert columns(cut) == columns(whole)
    cut.dispose()
    whole.dispose()


def columns(engine: sa.Engine) -> set[str]:
    look = sa.inspect(engine)
    names = look.get_table_names()
    return {f"{table}.{column['name']}" for table in names for column in look.get_columns(table)}
