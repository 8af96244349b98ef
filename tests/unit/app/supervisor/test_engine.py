"""The engine finds work when it is there, not when it next happens to look."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.store.database import make_engine, sqlite_url
from app.supervisor.engine import INTAKE, Engine

HARDLY_EVER = 600.0


class Office:
    """An engine with one workflow, which notes what it was given."""

    def __init__(self, database: sa.Engine) -> None:
        self.engine = Engine(database, "h1", concurrency=1, poll=HARDLY_EVER)
        self.done: list[str] = []
        self.loops: list[asyncio.AbstractEventLoop] = []
        self._database = database
        self._news = asyncio.Event()

    async def note(self, what: str) -> None:
        self.done.append(what)
        self.loops.append(asyncio.get_running_loop())
        self._news.set()

    async def pass_on(self, what: str) -> None:
        await self.engine.enqueue_child("note", f"child/{what}", what)

    async def launch(self) -> None:
        await self.engine.launch({"note": self.note, "pass_on": self.pass_on})

    def give(self, workflow: str, what: str) -> None:
        """Enqueue in a transaction of its own."""
        with self._database.begin() as c:
            self.engine.enqueue(c, workflow, f"{workflow}/{what}", what, queue=INTAKE)

    async def until(self, number: int) -> list[str]:
        async with asyncio.timeout(HARDLY_EVER / 10):
            while len(self.done) < number:
                self._news.clear()
                await self._news.wait()
        return self.done


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    database = make_engine(sqlite_url(tmp_path / "state.db"))
    office = Office(database)
    await office.launch()
    yield office
    await office.engine.close()
    database.dispose()


async def test_enqueued_work_is_begun_without_waiting_for_the_next_look(office: Office) -> None:
    office.give("note", "a")
    assert await office.until(1) == ["a"]


async def test_work_enqueued_by_work_is_begun_too(office: Office) -> None:
    office.give("pass_on", "a")
    assert await office.until(1) == ["a"]


async def test_what_waits_for_a_place_is_begun_when_one_is_free(office: Office) -> None:
    for what in "abc":
        office.give("note", what)
    assert sorted(await office.until(3)) == ["a", "b", "c"]


async def test_the_same_id_is_work_only_once(office: Office) -> None:
    office.give("note", "a")
    await office.until(1)
    office.give("note", "a")
    office.give("note", "b")
    assert await office.until(2) == ["a", "b"]


def test_work_found_while_the_loop_stands_still_is_done_in_that_loop(tmp_path: Path) -> None:
    database = make_engine(sqlite_url(tmp_path / "state.db"))
    with asyncio.Runner() as runner:
        office = Office(database)
        runner.run(office.launch())
        office.give("note", "a")
        # Long enough to be found, and begun by whoever would.
        time.sleep(1.0)
        runner.run(office.until(1))
        assert office.loops == [runner.get_loop()]
        runner.run(office.engine.close())
    database.dispose()


async def test_what_is_closed_after_the_engine_still_has_threads(tmp_path: Path) -> None:
    database = make_engine(sqlite_url(tmp_path / "state.db"))
    office = Office(database)
    await office.launch()
    office.give("pass_on", "a")
    await office.until(1)
    await office.engine.close()
    await asyncio.to_thread(database.dispose)
