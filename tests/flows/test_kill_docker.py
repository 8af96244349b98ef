"""The same kills with the agent and its checks in containers: no container, volume or network survives its run."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from docker import APIClient
from docker.utils import kwargs_from_env

from tests.support.home import Home, home_at
from tests.support.images import require_docker, test_image
from tests.support.invariants import World
from tests.support.kills import configured, points, survive
from tests.support.nursery import Nursery, nursery
from tests.support.repos import make_repository

pytestmark = pytest.mark.docker


def boxes_left(world: World) -> list[str]:
    """What the engine has of this user's installation."""
    with _engine() as engine:
        containers, volumes = _of(engine, world.home)
    return [f"{name} is left in the engine" for name in (*containers, *volumes)]


def _of(engine: APIClient, home: Home) -> tuple[list[str], list[str]]:
    """Names of containers and volumes."""
    kept = home.state / "installation"
    if not kept.exists():
        return [], []
    only = {"label": f"swarm.owner={kept.read_text().strip()}"}
    containers = engine.containers(all=True, filters=only)
    volumes = engine.volumes(filters=only)["Volumes"] or []
    return [each["Names"][0] for each in containers], [each["Name"] for each in volumes]


def _engine() -> "contextlib.closing[APIClient]":
    return contextlib.closing(APIClient(version="auto", **kwargs_from_env()))


@contextlib.contextmanager
def world_in_docker(home: Home, repo: Path) -> Iterator[World]:
    """A home whose runs are in containers of the test image; what a failed test leaves there is removed."""
    home.configure(configured(sandbox={"driver": "docker", "image": test_image()}))
    yield World(home, repo, boxes=boxes_left)
    home.end_supervisor()
    with _engine() as engine:
        containers, volumes = _of(engine, home)
        for name in containers:
            engine.remove_container(name, force=True)
        for name in volumes:
            engine.remove_volume(name, force=True)


@pytest.fixture(scope="module")
def cradle() -> Iterator[Nursery]:
    require_docker()
    with nursery() as cradle:
        yield cradle


@pytest.fixture
def world(home: Home, repo: Path) -> Iterator[World]:
    with world_in_docker(home, repo) as world:
        yield world


@pytest.fixture(scope="module")
async def undisturbed(
    cradle: Nursery, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """The world after a task that nobody disturbed."""
    root = tmp_path_factory.mktemp("undisturbed")
    with (
        home_at(root) as home,
        world_in_docker(home, make_repository(root / "project")) as world,
    ):
        yield await survive(cradle, world)


def test_without_a_kill_every_promise_holds(undisturbed: World) -> None:
    assert undisturbed.broken() == []


@pytest.mark.parametrize("point", points())
async def test_a_task_survives_a_kill(
    point: str, cradle: Nursery, undisturbed: World, world: World
) -> None:
    await survive(cradle, world, point)
    assert world.broken() == []
    assert world.facts() == undisturbed.facts()
