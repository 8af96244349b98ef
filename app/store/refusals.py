"""What a person is told when a database cannot be opened, or refuses later."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import exc

from app.domain.errors import EnvironmentProblem


@contextlib.contextmanager
def opening(engine: sa.Engine) -> Iterator[None]:
    """Raises `EnvironmentProblem` in place of what the driver says while the database is opened."""
    try:
        yield
    except (exc.DBAPIError, sqlite3.DatabaseError) as error:
        raise _refused(engine, error) from None


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
        where = engine.url.render_as_string(hide_password=True)
        return EnvironmentProblem(
            f"the database {where} cannot be used: {words}",
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


def _damaged(words: str) -> bool:
    return "not a database" in words or "malformed" in words


def _first_line(error: Exception) -> str:
    original = error.orig if isinstance(error, exc.DBAPIError) else error
    lines = str(original).strip().splitlines()
    return lines[0] if lines else type(error).__name__
