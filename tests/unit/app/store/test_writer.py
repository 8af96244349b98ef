"""The one writer: changes that share a transaction still succeed and fail each on its own."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.store.database import make_engine, sqlite_url
from app.store.writer import Writer


class Notes:
    """A table with a writer that is held until told to go on, so that changes gather."""

    def __init__(self, directory: Path) -> None:
        self.engine = make_engine(sqlite_url(directory / "notes.db"))
        with self.engine.begin() as c:
            c.exec_driver_sql("CREATE TABLE note (text TEXT PRIMARY KEY)")
        self.writer = Writer(self.engine)
        self.gate = threading.Event()
        self.writer.submit(lambda _c: self.gate.wait(10))

    def add(self, text: str, *, soon: bool = False) -> "Future[Any]":
        def make(c: sa.Connection) -> str:
            c.execute(sa.text("INSERT INTO note VALUES (:text)"), {"text": text})
            return text

        return self.writer.submit(make, soon=soon)

    def all(self) -> list[str]:
        with self.engine.connect() as c:
            return list(c.execute(sa.text("SELECT text FROM note ORDER BY rowid")).scalars())


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Notes]:
    kept = Notes(tmp_path)
    yield kept
    kept.gate.set()
    kept.writer.close()
    kept.engine.dispose()


def test_changes_are_made_in_the_order_in_which_they_were_asked_for(notes: Notes) -> None:
    asked = [notes.add(str(n), soon=bool(n % 2)) for n in range(200)]
    notes.gate.set()
    assert [each.result(10) for each in asked] == [str(n) for n in range(200)]
    assert notes.all() == [str(n) for n in range(200)]


def test_a_change_that_fails_takes_no_other_with_it(notes: Notes) -> None:
    first, again, last = notes.add("a"), notes.add("a"), notes.add("b")
    notes.gate.set()
    assert (first.result(10), last.result(10)) == ("a", "b")
    with pytest.raises(sa.exc.IntegrityError):
        again.result(10)
    assert notes.all() == ["a", "b"]


def test_a_change_that_nobody_wants_any_more_is_not_made(notes: Notes) -> None:
    unwanted, wanted = notes.add("a"), notes.add("b")
    assert unwanted.cancel()
    notes.gate.set()
    wanted.result(10)
    assert notes.all() == ["b"]


def test_what_was_asked_for_is_made_before_the_end(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    asked = [notes.add(str(n)) for n in range(100)]
    notes.gate.set()
    notes.writer.close()
    assert all(each.done() for each in asked)
    assert len(notes.all()) == 100
    notes.engine.dispose()


def test_what_others_write_over_the_same_connection_waits_for_the_disk(notes: Notes) -> None:
    notes.gate.set()
    notes.add("one", soon=True).result(10)
    full = 2
    with notes.engine.connect() as c:
        assert c.exec_driver_sql("PRAGMA synchronous").scalar() == full
