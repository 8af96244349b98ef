"""On a full disk git fails in words of its own; landing waits for room, and fails for any other reason."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.domain.errors import RepoError
from app.domain.ids import RunId
from app.store import tasks
from app.store.database import Database
from app.supervisor.services import Services
from app.supervisor.steps.finish import land
from tests.support.rows import reviewed, stored

NO_ROOM = Path("/proc")
"""A file system on which there is no room for anything."""


async def landed(tmp_path: Path, state: Path, words: str = "fatal: bad object") -> dict[str, str]:
    """What landing a review gives of whose repository git says this."""
    database = Database.open(tmp_path)
    try:
        run = await database.write(stored)
        review = await database.write(lambda c: reviewed(c, run))
        return await land(services(database, state, words), run, review)
    finally:
        database.close()


def services(database: Database, state: Path, words: str) -> Services:
    async def task_and_run(run: RunId) -> tuple[Any, Any]:
        found = await database.read(tasks.run, run)
        return await database.read(tasks.task, found.task), found

    async def repository(_task: Any) -> Any:
        raise RepoError(words)

    stand_in = SimpleNamespace(
        database=database,
        places=SimpleNamespace(state=state),
        clock=lambda: 1.0,
        task_and_run=task_and_run,
        repository=repository,
    )
    return cast("Services", stand_in)


async def test_without_room_landing_is_said_again(tmp_path: Path) -> None:
    with pytest.raises(RepoError):
        await landed(tmp_path, NO_ROOM)


async def test_with_room_the_reason_goes_to_the_person(tmp_path: Path) -> None:
    assert "bad object" in (await landed(tmp_path, tmp_path))["refused"]


async def test_what_git_could_not_write_for_want_of_room_is_said_again_though_there_is_some_again(
    tmp_path: Path,
) -> None:
    with pytest.raises(RepoError):
        await landed(
            tmp_path, tmp_path, "git read-tree failed: index.lock write error. Out of diskspace"
        )
