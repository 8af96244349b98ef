"""The same supervisor on PostgreSQL: the main job, and kills where the database matters most."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.home import Home, home_at
from tests.support.invariants import World
from tests.support.kills import configured, survive
from tests.support.nursery import Nursery, nursery
from tests.support.postgres import Cluster, PostgresTables, cluster
from tests.support.repos import make_repository

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("postgres")]

POINTS = ("mid:work", "after:work", "after:settle", "after:merge", "mid:record", "after:record")


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


@pytest.mark.parametrize("point", POINTS)
async def test_a_task_survives_a_kill(
    point: str, server: Cluster, cradle: Nursery, undisturbed: World, home: Home, repo: Path
) -> None:
    world = await survive(cradle, world_on(server, home, repo), point)
    assert world.broken() == []
    assert world.facts() == undisturbed.facts()
