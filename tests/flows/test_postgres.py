"""The same supervisor on PostgreSQL: the main job, and a kill at every point."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.domain.budget import Claim
from app.domain.ids import RunId
from app.domain.money import Charge, Micros
from app.store import ledger
from app.store.tables import STATE
from tests.support.home import Home, home_at
from tests.support.invariants import World
from tests.support.kills import configured, spread, survive
from tests.support.model_endpoint import add_run
from tests.support.nursery import Nursery, nursery
from tests.support.postgres import Cluster, PostgresTables, cluster
from tests.support.repos import make_repository

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


@pytest.mark.parametrize("points", spread(4), ids=lambda points: points[0])
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
