"""What a supervisor of a released version left when it was killed, this version brings to its end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import corpus
from tests.support.home import home_at
from tests.support.invariants import World
from tests.support.kills import Killed
from tests.support.nursery import Nursery, nursery
from tests.support.repos import run_git

LEFT = [(version, point) for version in corpus.versions() for point in corpus.entries(version)]


@pytest.fixture(scope="module")
def cradle() -> Iterator[Nursery]:
    with nursery() as cradle:
        yield cradle


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of the corpus, unpacked."""
    root = tmp_path_factory.mktemp("corpus")
    for version in corpus.versions():
        corpus.unpack(version, root / version)
    return root


def test_something_was_left() -> None:
    assert LEFT


@pytest.mark.parametrize(("version", "point"), LEFT)
async def test_what_was_left_is_brought_to_its_end(
    version: str, point: str, left: Path, cradle: Nursery
) -> None:
    with corpus.place() as root, home_at(root) as home:
        corpus.settle(left / version / point, root)
        world = World(home, root / "project", harmed=True)
        with Killed(cradle, world) as user:
            await user.approve(await user.submit())
            await user.idle()
            user.stop()
        assert world.broken() == []
        assert run_git(world.repo, "show", "main:hello/greeting.txt") == "hello"
