"""One thread that writes to SQLite: changes wait for each other in a queue, not in the file's lock.

SQLite lets one write at a time, and a second writer sleeps and tries again, for far longer than a write takes.
What has come meanwhile goes into one transaction, so that many changes share one wait for the disk.

A change may also be made *soon*: then nobody waits for the disk. It survives a kill at once, since the system has
it, and a power cut after the few milliseconds that the disk needs.
"""

import contextlib
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

_TOGETHER: Final = 64
"""Changes that may share a transaction."""


class _Change(NamedTuple):
    make: Callable[[sa.Connection], Any]
    done: "Future[Any]"
    soon: bool


class Writer:
    """Makes changes in the order in which they were asked for. A change that raises is undone alone."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._connection: sa.Connection | None = None
        self._waits = True
        """Whether the connection's commits wait for the disk, as those of new ones do."""
        self._changes: queue.SimpleQueue[_Change | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="store writer", daemon=True)
        self._thread.start()
        self._unsynced = threading.Event()
        self._closing = False
        self._syncing = threading.Thread(target=self._sync, name="store sync", daemon=True)
        self._syncing.start()

    def submit(self, make: Callable[[sa.Connection], Any], *, soon: bool = False) -> "Future[Any]":
        """Make a change in a transaction; the future is done when it is made and, but for `soon`, on disk."""
        done: Future[Any] = Future()
        self._changes.put(_Change(make, done, soon))
        return done

    def close(self) -> None:
        """Make what was asked for, and end."""
        self._changes.put(None)
        self._thread.join()
        self._closing = True
        self._unsynced.set()
        self._syncing.join()

    def _work(self) -> None:
        try:
            self._serve()
        finally:
            self._let_go()

    def _serve(self) -> None:
        while (change := self._changes.get()) is not None:
            together = [change]
            is_last = False
            while len(together) < _TOGETHER and not is_last and not self._changes.empty():
                more = self._changes.get()
                if more is None:
                    is_last = True
                else:
                    together.append(more)
            self._write([each for each in together if each.done.set_running_or_notify_cancel()])
            if is_last:
                return

    def _write(self, together: list[_Change]) -> None:
        if not together:
            return
        soon = all(change.soon for change in together)
        try:
            made = self._committed(together, soon=soon)
        except Exception as error:  # noqa: BLE001 - whoever asked for a change is told
            self._undo()
            for change in together:
                change.done.set_exception(error)
            return
        if soon:
            self._unsynced.set()
        for change, (result, undone) in zip(together, made, strict=True):
            if undone is None:
                change.done.set_result(result)
            else:
                change.done.set_exception(undone)

    def _committed(
        self, together: list[_Change], *, soon: bool
    ) -> list[tuple[Any, Exception | None]]:
        """What each returned, or why it was undone, once all that was not is in the file."""
        if self._connection is None:
            self._connection, self._waits = self._engine.connect(), True
        connection = self._connection
        if self._waits == soon:
            # Whether a commit waits for the disk.
            connection.exec_driver_sql(f"PRAGMA synchronous={'NORMAL' if soon else 'FULL'}")
            connection.commit()
            self._waits = not soon
        # Python's sqlite3 begins only at the first change: two could both decide on what they saw.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        made = [_made(connection, each, alone=len(together) == 1) for each in together]
        connection.commit()
        return made

    def _undo(self) -> None:
        """Take back what was begun. Where that fails, the next change gets another connection."""
        try:
            if self._connection is not None:
                self._connection.rollback()
        except sa.exc.SQLAlchemyError:
            self._let_go()

    def _let_go(self) -> None:
        """Give the connection up, with all that was begun on it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sa.exc.SQLAlchemyError):
                connection.invalidate()
                connection.close()

    def _sync(self) -> None:
        """Bring to disk what was made soon."""
        journal = f"{self._engine.url.database}-wal"
        while not self._closing:
            self._unsynced.wait()
            self._unsynced.clear()
            # Whatever fails here, the next change that waits for the disk meets it and is told.
            with contextlib.suppress(OSError):
                opened = os.open(journal, os.O_RDONLY)
                try:
                    os.fdatasync(opened)
                finally:
                    os.close(opened)


def _made(
    connection: sa.Connection, change: _Change, *, alone: bool
) -> tuple[Any, Exception | None]:
    """What a change returned, or why it was undone."""
    if alone:
        return change.make(connection), None
    connection.exec_driver_sql("SAVEPOINT change")
    try:
        result = change.make(connection)
    except Exception as error:  # noqa: BLE001 - only this change is undone
        # Where SQLite has given up all of the transaction, as on a full disk, this fails, and so do all.
        connection.exec_driver_sql("ROLLBACK TO change")
        connection.exec_driver_sql("RELEASE change")
        return None, error
    connection.exec_driver_sql("RELEASE change")
    return result, None
