"""A full disk is a pause: what is at work waits for space, nothing is lost, and a person is told.

The databases are given no page more than they have, which is what SQLite reports as a full disk.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from app.api.app import create_app
from app.api.server import Server, bind
from app.client.client import Swarm
from app.config import paths
from app.daemon import exclusive, opened
from app.domain.errors import EnvironmentProblem
from app.domain.run import RunState
from app.store.database import Database
from app.supervisor.service import Service
from harnesses.events import MessageChunk
from tests.support.scripts import edit, scripted, wait_for
from tests.support.world import World, story, world_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = 400
CHATTER = {"repeat": {"times": WORDS, "steps": [{"say": "word " * 50}]}}
AGENTS = {
    "writer": scripted(
        [edit("before.txt", "1\n"), wait_for("../../go"), CHATTER, edit("after.txt", "2\n")]
    )
}
PLENTY = 2**30


class Disk:
    """The room of both databases."""

    def __init__(self, database: Database) -> None:
        self._engines = (database.state, database.log)

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """No room for another page while this lasts."""
        for engine in self._engines:
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
                free = int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())
            _limit(engine, pages - free)
        try:
            yield
        finally:
            for engine in self._engines:
                _limit(engine, PLENTY)


_LIMITS: dict[sa.Engine, int] = {}


def _limit(engine: sa.Engine, pages: int) -> None:
    if engine not in _LIMITS:
        sa.event.listen(engine, "begin", lambda c: _apply(c.connection, _LIMITS[engine]))
    _LIMITS[engine] = pages


def _apply(raw: Any, pages: int) -> None:
    raw.execute(f"PRAGMA max_page_count={pages}").fetchall()


@dataclass(frozen=True)
class Pause:
    """A run whose disk was full in the middle of its work."""

    world: World
    run: str
    refused: EnvironmentProblem
    during: RunState


@story
async def pause(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pause]:
    root = tmp_path_factory.mktemp("world")
    with world_at(root, agents=AGENTS, settings={}) as home, exclusive_at(home.state):
        async with opened(home.state) as services:
            service = Service(services, lambda: None)
            server = Server(create_app(service), bind(paths.api_socket(home.state)))
            server.start()
            world = World(home, Swarm(paths.api_socket(home.state)))
            yield await _story(world, Disk(services.database))
            await services.broker.release()
            await server.close()


@contextlib.contextmanager
def exclusive_at(state: Any) -> Iterator[None]:
    state.mkdir(mode=0o700)
    with exclusive(state):
        yield


async def _story(world: World, disk: Disk) -> Pause:
    user = world.user()
    run = await user.submit(agent="writer")
    await user.wrote(run, "before.txt")
    with disk.full():
        (world.home.state / "sandboxes" / run / "tree/../../go").resolve().touch()
        refused = await _refused(world)
        await asyncio.sleep(2.0)
        during = (await world.client.detail(run)).row.run.state
    await user.until(run, RunState.IN_REVIEW)
    return Pause(world, run, refused, during)


async def _refused(world: World) -> EnvironmentProblem:
    """Submit until there is no room for it any more; a few may fit into pages that are half empty."""
    user = world.user()
    for _ in range(50):
        try:
            await user.submit("x" * 20_000, agent="writer")
        except EnvironmentProblem as error:
            return error
    raise AssertionError("there is room without end")


async def test_a_person_is_told_that_the_disk_is_full(pause: Pause) -> None:
    assert pause.refused.message == "the disk is full, so nothing was changed"


async def test_a_refused_task_leaves_nothing(pause: Pause) -> None:
    assert len((await pause.world.client.board()).rows) == 1


async def test_a_run_waits_for_space(pause: Pause) -> None:
    assert pause.during == RunState.WORKING


async def test_with_space_it_goes_on_and_nothing_is_lost(pause: Pause) -> None:
    shown = await pause.world.client.detail(pause.run)
    user = pause.world.at(shown)
    assert await user.file(pause.run, "before.txt") == "1"
    assert await user.file(pause.run, "after.txt") == "2"
    said = [e for e in await user.events(pause.run) if isinstance(e.body, MessageChunk)]
    assert len(said) == WORDS


async def test_the_agent_was_started_once(pause: Pause) -> None:
    turns = (await pause.world.client.why(pause.run)).words
    assert [line for line in turns if line.startswith("turn ")] == ["turn 1 ended: end_turn"]
