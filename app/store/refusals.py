"""What a person is told when a database cannot be opened, or refuses later."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import exc

from app.domain.errors import EnvironmentProblem, SwarmError

PASSING = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
"""What the database says that waiting helps against."""


def refuse_half(directory: Path) -> None:
    """Raises `EnvironmentProblem` where only the log is left: without the truth it would look like a new start."""
    state, log = directory / "state.db", directory / "events.db"
    if _holds(log) and not (_holds(state) or _holds(directory / "state.db-wal")):
        raise EnvironmentProblem(
            f"{state} is {'empty' if state.exists() else 'not there'}, although {log.name} beside it is full",
            hint=f"{_WAYS_OUT['state']} To begin with nothing, move {log.name} away.",
        )


def _holds(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


@contextlib.contextmanager
def opening(engine: sa.Engine) -> Iterator[None]:
    """While the database is opened and its tables are brought up to date.

    Raises `EnvironmentProblem` in place of what the driver says, and `SwarmError` where the statement was wrong:
    that is not for the user to mend.
    """
    try:
        yield
    except (exc.DBAPIError, sqlite3.DatabaseError) as error:
        if _misspoken(error):
            raise SwarmError(
                f"the tables of {_place(engine)} could not be brought up to date: {_first_line(error)}",
                hint="This is a bug of swarm, unless they are another program's. Nothing of them was changed.",
            ) from error
        raise _refused(engine, error) from None


_WRONG_IN_SQLITE = (
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_MISUSE,
    sqlite3.SQLITE_RANGE,
)
"""Result codes for a statement that cannot be carried out, wherever: https://sqlite.org/rescode.html"""
_WRONG_IN_POSTGRES = ("22", "23", "42")
"""Classes of the same: https://www.postgresql.org/docs/current/errcodes-appendix.html"""
_MAY_NOT = "42501"


def _misspoken(error: Exception) -> bool:
    """Whether the statement was wrong, rather than the database out of order or out of reach."""
    original = error.orig if isinstance(error, exc.DBAPIError) else error
    code = getattr(original, "sqlite_errorcode", None)
    state = getattr(original, "sqlstate", None) or ""
    in_postgres = state.startswith(_WRONG_IN_POSTGRES) and state != _MAY_NOT
    return in_postgres or (code is not None and code & 0xFF in _WRONG_IN_SQLITE)


def in_words(error: Exception) -> EnvironmentProblem | None:
    """What a person is told when the database refuses; None for any other error."""
    if not isinstance(error, exc.DatabaseError):
        return None
    words = str(error.orig)
    if "disk is full" in words:
        return EnvironmentProblem(
            "the disk is full, so nothing was changed",
            hint="Free some space. Runs at work pause meanwhile, and go on by themselves.",
        )
    if not (_damaged(words) or isinstance(error, exc.OperationalError)):
        return None
    return EnvironmentProblem(
        f"the database does not answer: {words}", hint="Try again; `swarm doctor` looks at it."
    )


def _refused(engine: sa.Engine, error: Exception) -> EnvironmentProblem:
    words = _first_line(error)
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return EnvironmentProblem(
            f"the database {_place(engine)} cannot be used: {words}",
            hint="Start it, or mend `database` in your config.yaml. Nothing of it was changed.",
        )
    file = Path(engine.url.database)
    if not _damaged(words):
        return EnvironmentProblem(
            f"{file} cannot be used: {words}",
            hint="It has to be yours to write, on a disk with room. Nothing of it was changed.",
        )
    return EnvironmentProblem(
        f"{file} is damaged: {words}", hint=f"{_WAYS_OUT[file.stem]} Nothing of it was changed."
    )


_WAYS_OUT = {
    "state": "Put a copy of it back, from your own backup or from `backups` beside it; branches and worktrees "
    "of its runs are in your repositories as they were.",
    "events": "Move it and its -wal and -shm away: swarm goes on without the story of past runs. All else, "
    "runs, reviews and spending, is in state.db.",
}


def _place(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


def _damaged(words: str) -> bool:
    return "not a database" in words or "malformed" in words


def _first_line(error: Exception) -> str:
    original = error.orig if isinstance(error, exc.DBAPIError) else error
    lines = str(original).strip().splitlines()
    return lines[0] if lines else type(error).__name__
