"""The two databases: opened with the settings that were measured to survive kills, and a small way to use them.

Source of the engine's settings: docs/decisions/0003-durable-engine.md.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, Final, Literal, ParamSpec, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy import event, exc

from app.domain.base import acquaint
from app.store import migrate
from app.store.disks import refuse_network_disk
from app.store.postgres import read_only_is_a_pause, tables_gone_is_a_pause, tolerate_nul
from app.store.refusals import refuse_half
from app.store.writer import Writer

P = ParamSpec("P")
T = TypeVar("T")

Durability = Literal["FULL", "NORMAL"]
Fence: TypeAlias = Callable[[sa.Connection], None]
"""Raises, in the transaction, when what this host writes does not count any more."""

_PATIENCE: Final = " ".join(
    f"-c {name}={value}"
    for name, value in {
        "idle_in_transaction_session_timeout": "20s",
        "tcp_keepalives_idle": 5,
        "tcp_keepalives_interval": 2,
        "tcp_keepalives_count": 3,
    }.items()
)
"""For the server: what a host held that has vanished or stands still is free again soon."""


def make_engine(url: str, *, synchronous: Durability = "FULL") -> sa.Engine:
    """An engine for a database URL; SQLite gets WAL, immediate transactions and a long busy timeout."""
    if not url.startswith("sqlite"):
        server = sa.create_engine(
            url,
            pool_size=10,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": 3,
                "keepalives_idle": 3,
                "keepalives_interval": 1,
                "keepalives_count": 3,
                "tcp_user_timeout": 4000,
                "options": _PATIENCE,
            },
        )
        event.listen(server, "connect", tolerate_nul)
        event.listen(server, "handle_error", read_only_is_a_pause)
        return server
    engine = sa.create_engine(url, pool_size=10, max_overflow=0)
    event.listen(engine, "connect", lambda connection, _record: _tune(connection, synchronous))
    event.listen(engine, "handle_error", _full_disk_is_a_pause)
    return engine


def sqlite_url(file: Path) -> str:
    return f"sqlite:///{file}"


def _tune(connection: sqlite3.Connection, synchronous: Durability) -> None:
    connection.isolation_level = "IMMEDIATE"
    if sqlite3.sqlite_version_info < (3, 42):
        # DBOS's schema calls unixepoch('subsec'), which is NULL before SQLite 3.42.
        connection.create_function("unixepoch", 1, lambda _argument: time.time())
    for pragma in (
        "busy_timeout=30000",
        "foreign_keys=ON",
        "journal_mode=WAL",
        f"synchronous={synchronous}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _full_disk_is_a_pause(context: sa.engine.ExceptionContext) -> None:
    # DBOS retries only what says "database is locked"; any other failure to record a finished step
    # would turn the workflow into an error for good.
    message = str(context.original_exception)
    if "disk is full" in message:
        raise exc.OperationalError(
            context.statement,
            None,
            sqlite3.OperationalError(f"database is locked [really: {message}]"),
            hide_parameters=True,
        )


class Database:
    """The state and the log, used from the event loop through a few threads.

    Store functions take a connection first: `await db.write(runs.move, run, ...)`.
    """

    def __init__(self, state: sa.Engine, log: sa.Engine) -> None:
        self.state = state
        self.log = log
        self.fence: Fence | None = None
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="store")
        self._writer = Writer(state) if state.dialect.name == "sqlite" else None

    @classmethod
    def open(cls, directory: Path, url: str = "") -> "Database":
        """Open, and migrate, the databases of a state directory, or of a PostgreSQL URL."""
        acquaint()
        if not url:
            refuse_network_disk(directory)
            refuse_half(directory)
        state = make_engine(url or sqlite_url(directory / "state.db"))
        log = (
            make_engine(url)
            if url
            else make_engine(sqlite_url(directory / "events.db"), synchronous="NORMAL")
        )
        migrate.upgrade(state, log)
        if url:
            for engine in (state, log):
                event.listen(engine, "handle_error", tables_gone_is_a_pause)
        return cls(state, log)

    async def write(
        self, function: Callable[Concatenate[sa.Connection, P], T], *a: P.args, **k: P.kwargs
    ) -> T:
        """Run a store function in one transaction on the state, which nobody else changes meanwhile."""
        return await self._change(function, a, k, soon=False)

    async def write_soon(
        self, function: Callable[Concatenate[sa.Connection, P], T], *a: P.args, **k: P.kwargs
    ) -> T:
        """The same without waiting for the disk: kept through any kill, and through a power cut moments later."""
        return await self._change(function, a, k, soon=True)

    async def read(
        self, function: Callable[Concatenate[sa.Connection, P], T], *a: P.args, **k: P.kwargs
    ) -> T:
        """Run a store function that changes nothing."""
        return await self._call(self.state, function, a, k, writes=False)

    async def write_log(
        self, function: Callable[Concatenate[sa.Connection, P], T], *a: P.args, **k: P.kwargs
    ) -> T:
        """Run a store function in one transaction on the event log."""
        return await self._call(self.log, function, a, k, writes=True)

    async def read_log(
        self, function: Callable[Concatenate[sa.Connection, P], T], *a: P.args, **k: P.kwargs
    ) -> T:
        """Run a store function on the event log that changes nothing."""
        return await self._call(self.log, function, a, k, writes=False)

    async def _change(
        self, function: Callable[..., T], a: tuple[Any, ...], k: dict[str, Any], *, soon: bool
    ) -> T:
        if self._writer is None:
            return await self._call(self.state, function, a, k, writes=True)
        work: Callable[[sa.Connection], T] = partial(_with, function, a, k)
        result: T = await asyncio.wrap_future(self._writer.submit(work, soon=soon))
        return result

    async def _call(
        self,
        engine: sa.Engine,
        function: Callable[..., T],
        a: tuple[Any, ...],
        k: dict[str, Any],
        *,
        writes: bool,
    ) -> T:
        def work() -> T:
            with engine.begin() as connection:
                if writes and engine.dialect.name == "sqlite":
                    # Python's sqlite3 begins only at the first change: two readers could both decide on
                    # what they saw, and then both write.
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                if writes and self.fence:
                    self.fence(connection)
                return function(connection, *a, **k)

        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._threads.shutdown(wait=True)
        self.state.dispose()
        self.log.dispose()


def _with(
    function: Callable[..., T], a: tuple[Any, ...], k: dict[str, Any], connection: sa.Connection
) -> T:
    return function(connection, *a, **k)
