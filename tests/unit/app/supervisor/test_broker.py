"""The broker: written in batches, each key once, followed from the log by number."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.domain.events import Event, Note
from app.domain.ids import RunId
from app.store import event_log
from app.store.database import Database
from app.supervisor.broker import PAGE, Broker

RUN, OTHER = RunId("aaaaa.1"), RunId("bbbbb.1")


async def texts(broker: Broker, since: int = 0, run: str = "") -> list[str]:
    items = [item async for item in broker.follow(since, run, live=False)]
    return [
        item.body.text for item in items if isinstance(item, Event) and isinstance(item.body, Note)
    ]


async def test_what_was_recorded_is_in_the_log(broker: Broker) -> None:
    await broker.record(RUN, "1", Note("one"))
    assert await texts(broker) == ["one"]


async def test_the_same_key_again_adds_nothing(broker: Broker) -> None:
    for text in ("one", "another"):
        await broker.record(RUN, "1", Note(text))
    assert await texts(broker) == ["one"]


async def test_order_is_kept_over_many_pages(broker: Broker) -> None:
    for number in range(PAGE * 2 + 1):
        broker.post(RUN, str(number), Note(str(number)))
    await broker.flush()
    assert await texts(broker) == [str(number) for number in range(PAGE * 2 + 1)]


async def test_the_past_ends_with_its_number_then_the_future_begins(broker: Broker) -> None:
    await broker.record(RUN, "1", Note("past"))
    stream = broker.follow(0)
    past, reached = await anext(stream), await anext(stream)
    assert isinstance(past, Event)
    assert reached == past.seq
    upcoming = asyncio.ensure_future(anext(stream))
    await broker.record(RUN, "2", Note("future"))
    future = await upcoming
    assert isinstance(future, Event)
    assert future.body == Note("future")


async def test_a_follower_of_one_run_hears_of_no_other(broker: Broker) -> None:
    await broker.record(OTHER, "1", Note("other"))
    await broker.record(RUN, "1", Note("mine"))
    assert await texts(broker, run=RUN) == ["mine"]


async def test_followers_are_let_go_and_what_is_posted_then_is_still_written(
    broker: Broker,
) -> None:
    stream = broker.follow(0)
    assert await anext(stream) == 0
    waiting = asyncio.ensure_future(anext(stream, None))
    await asyncio.sleep(0)
    await broker.release()
    assert await waiting is None
    await broker.record(RUN, "1", Note("late"))
    assert await texts(broker) == ["late"]


async def test_an_event_that_cannot_be_written_holds_up_no_other(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.post(RUN, "1", Note("half of a sign: \ud800"))
    await broker.record(RUN, "2", Note("whole"))
    assert await texts(broker) == ["whole"]
    assert "event log: 1 of aaaaa.1 cannot be kept" in caplog.text


async def test_what_the_database_will_not_take_holds_up_no_other(tmp_path: Path) -> None:
    database = Database.open(tmp_path)
    broker = Broker(database)
    broker.start()
    await broker.record(RUN, "1", Note("before"))
    await database.write_log(_closed_to_other)
    broker.post(OTHER, "1", Note("lost"))
    await broker.record(RUN, "2", Note("after"))
    assert await texts(broker) == ["before", "after"]
    await broker.close()
    database.close()


def _closed_to_other(c: sa.Connection) -> None:
    """As where the file is damaged: some rows cannot be written any more."""
    c.exec_driver_sql(
        f"CREATE TRIGGER closed BEFORE INSERT ON event WHEN NEW.run = '{OTHER}' "
        "BEGIN SELECT RAISE(ABORT, 'database disk image is malformed'); END"
    )


async def test_closing_writes_what_is_left(tmp_path: Path) -> None:
    database = Database.open(tmp_path)
    broker = Broker(database)
    broker.start()
    broker.post(RUN, "1", Note("last"))
    await broker.close()
    written = await database.write_log(event_log.after, 0)
    assert [event.body for event in written] == [Note("last")]
    database.close()
