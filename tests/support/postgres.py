"""A PostgreSQL server of the tests' own: in a temporary directory, on a unix socket, gone at the end."""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypedDict

import psycopg
import pytest
import sqlalchemy as sa

from tests.support.invariants import Row
from tests.support.patience import PATIENCE

USER = "swarm"
GUARDED = "guarded"
"""A database of this name asks for a password."""
SETTINGS = ("listen_addresses=", "fsync=off", "max_connections=200", "shared_buffers=16MB")


class Cluster:
    """A server that can be stopped and started again."""

    def __init__(
        self, directory: Path, programs: Path, owner: "Owner", inside: Sequence[str] = ()
    ) -> None:
        self._inside = inside
        self._directory = directory
        self._programs = programs
        self._owner = owner
        self._numbers = itertools.count(1)
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        more = ("listen_addresses=*",) if self._inside else ()
        options = [part for setting in (*SETTINGS, *more) for part in ("-c", setting)]
        directory = self._directory
        place = ("-D", directory / "data", "-k", directory)
        with (directory / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [*self._before(), self._programs / "postgres", *place, *options],
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **(Owner() if self._inside else self._owner),
            )
        _wait_for(self, self._server, directory / "log")

    def _before(self) -> list[str]:
        """Into the namespace as root, and only there to the server's own user."""
        if not self._inside:
            return []
        user, group = self._owner["user"], self._owner["group"]
        return [*self._inside, "setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"]

    def stop(self) -> None:
        """At once, as if it had crashed: it writes nothing down before it ends."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(30)
            self._server = None

    def database(self) -> str:
        """The SQLAlchemy address of a new, empty database."""
        name = f"swarm{next(self._numbers)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql+psycopg://{USER}@/{name}?host={self._directory}"

    def guarded(self, password: str) -> str:
        """The address of a database that asks for this password, without one."""
        self.says(f"ALTER ROLE {USER} PASSWORD '{password}'")
        with contextlib.suppress(psycopg.errors.DuplicateDatabase):
            self.says(f"CREATE DATABASE {GUARDED}")
        return f"postgresql+psycopg://{USER}@/{GUARDED}?host={self._directory}"

    def says(self, *statements: str) -> None:
        """What its administrator says, word for word."""
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def connect(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(
            host=str(self._directory), user=USER, dbname="postgres", autocommit=True
        )


@contextlib.contextmanager
def cluster(inside: Sequence[str] = ()) -> Iterator[Cluster]:
    """A server, stopped and removed at the end; `inside` goes before its command, into a network of its own."""
    programs = _programs()
    # Short: a unix socket's path has at most 107 bytes.
    directory = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    owner = _owner()
    if owner:
        shutil.chown(directory, owner["user"])
    data = directory / "data"
    make = ["--auth=trust", f"--username={USER}", "--no-sync", "--encoding=UTF8", "--locale=C"]
    _run([programs / "initdb", "--pgdata", data, *make], owner)
    rules = data / "pg_hba.conf"
    known = rules.read_text()
    rules.write_text(f"local {GUARDED} all scram-sha-256\nhost all all 10.77.0.0/16 trust\n{known}")
    running = Cluster(directory, programs, owner, inside)
    try:
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(directory)


class Owner(TypedDict, total=False):
    """Whom the server runs as."""

    user: str
    group: int
    extra_groups: list[str]


def _owner() -> Owner:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    name = "postgres" if "postgres" in names else "nobody"
    group = pwd.getpwnam(name).pw_gid
    return {"user": name, "group": group, "extra_groups": []}


def _programs() -> Path:
    """Where initdb and postgres are; skip without them, fail where `SWARM_REQUIRE` names postgres."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path))
    if found:
        return found[-1].resolve().parent
    missing = "PostgreSQL's initdb is nowhere on this machine"
    if "postgres" in os.environ.get("SWARM_REQUIRE", ""):
        pytest.fail(f"SWARM_REQUIRE names postgres, but {missing}")
    pytest.skip(missing)


def _run(argv: list[Any], owner: Owner) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, cwd="/", check=False, **owner)
    assert done.returncode == 0, done.stderr


def _wait_for(running: Cluster, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(psycopg.OperationalError), running.connect():
            return
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


class PostgresTables:
    """The tables of one database, as `invariants.Tables` wants them."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url, poolclass=sa.NullPool)

    def state(self, query: str) -> list[Row]:
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.text(query)).mappings()]

    log = state

    def workflows(self) -> list[Row]:
        return self.state("SELECT workflow_uuid, name, status FROM dbos.workflow_status")

    def faults(self) -> list[str]:
        """PostgreSQL has no check of a whole database; its server would have died of a broken one."""
        return []
