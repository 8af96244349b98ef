"""The supervisor is killed at every point it names; the task lands as if nothing had happened."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.home import Home, home_at
from tests.support.invariants import World
from tests.support.kills import configured, points, spread, survive
from tests.support.nursery import Nursery, nursery
from tests.support.repos import make_repository


@pytest.fixture(scope="module")
def cradle() -> Iterator[Nursery]:
    with nursery() as cradle:
        yield cradle


@pytest.fixture(scope="module")
async def undisturbed(cradle: Nursery, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The world after a task that nobody disturbed."""
    root = tmp_path_factory.mktemp("undisturbed")
    with home_at(root) as home:
        home.configure(configured())
        return await survive(cradle, World(home, make_repository(root / "project")))


def test_there_is_a_point_around_every_step_and_inside_most() -> None:
    named = set(points())
    steps = {point.partition(":")[2] for point in named if point.startswith("before:")}
    assert {"place", "prepare", "work", "snapshot", "check", "decide", "settle"} <= steps
    assert {"merge", "record", "clean_up"} <= steps
    assert {f"after:{step}" for step in steps} <= named


def test_without_a_kill_every_promise_holds(undisturbed: World) -> None:
    assert undisturbed.broken() == []


@pytest.mark.parametrize("points", spread(5), ids=lambda points: points[0])
async def test_a_task_survives_kills(
    points: tuple[str, ...], cradle: Nursery, undisturbed: World, home: Home, repo: Path
) -> None:
    home.configure(configured())
    world = await survive(cradle, World(home, repo), *points)
    assert world.broken() == []
    assert world.facts() == undisturbed.facts()
