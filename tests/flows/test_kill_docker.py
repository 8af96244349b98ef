"""The same kills with the agent and its checks in containers: no container, volume or network survives its run."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.home import Home, home_at
from tests.support.images import require_docker, test_image
from tests.support.invariants import World, docker_boxes
from tests.support.kills import configured, spread, survive, unwritten
from tests.support.long_life import in_hands
from tests.support.nursery import Nursery, nursery
from tests.support.repos import make_repository
from tests.support.writes import places

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("kills in docker")]

HANDS = places("hands.attach", "hands.hand_back", "by_hand.attend", "decide._handed_back")
"""What writes when a person takes a run over and hands it back."""


def world_in_docker(home: Home, repo: Path) -> World:
    """A home whose runs are in containers of the test image."""
    home.configure(configured(sandbox={"driver": "docker", "image": test_image()}))
    return World(home, repo, boxes=docker_boxes)


@pytest.fixture(scope="module")
def cradle() -> Iterator[Nursery]:
    require_docker()
    with nursery() as cradle:
        yield cradle


@pytest.fixture
def world(home: Home, repo: Path) -> World:
    return world_in_docker(home, repo)


@pytest.fixture(scope="module")
async def undisturbed(
    cradle: Nursery, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """The world after a task that nobody disturbed."""
    root = tmp_path_factory.mktemp("undisturbed")
    with home_at(root) as home:
        world = world_in_docker(home, make_repository(root / "project"))
        yield await survive(cradle, world)


def test_without_a_kill_every_promise_holds(undisturbed: World) -> None:
    assert undisturbed.broken() == []


@pytest.mark.parametrize("points", spread(2), ids=lambda points: points[0])
async def test_a_task_survives_kills(
    points: tuple[str, ...], cradle: Nursery, undisturbed: World, world: World
) -> None:
    await survive(cradle, world, *points)
    assert world.broken() == []
    assert world.facts() == undisturbed.facts()


async def test_a_person_takes_over_and_hands_back_through_a_kill_at_each(
    cradle: Nursery, world: World
) -> None:
    await survive(cradle, world, life=in_hands, writes=HANDS)
    assert {HANDS[each] for each in unwritten(world)} == {"decide._handed_back(_add)"}
    assert world.broken() == []
    turns = world.tables.state("SELECT by_hand FROM turn ORDER BY number")
    assert [row["by_hand"] for row in turns] == ["", "shell"]
