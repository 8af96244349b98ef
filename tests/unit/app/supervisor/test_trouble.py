"""A step that cannot do its work fails its run with the reason; only what passes by itself is raised on."""

import errno
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import sqlalchemy as sa

from app.domain.errors import RepoError
from app.domain.ids import RunId
from app.domain.run import RunState
from app.store import tasks
from app.store.database import Database
from app.supervisor.services import Services
from app.supervisor.trouble import fails_the_run, passes
from sandboxes.errors import SandboxFailed
from tests.support.rows import stored

FULL = sa.exc.OperationalError("insert", None, Exception("disk is full"))


NO_ROOM = Path("/proc")
"""A file system on which there is no room for anything."""


async def tried(
    tmp_path: Path,
    error: Exception,
    wish: str = "",
    *,
    state: Path | None = None,
    patience: str = "0s",
) -> tuple[str, str]:
    """What a step that raises gives, and the wish it leaves."""
    database = Database.open(tmp_path)
    try:
        run = await database.write(stored, state=RunState.WORKING)
        await database.write(tasks.update, run, wish=wish)

        @fails_the_run("gave up")
        async def step(_s: Services, _run: RunId) -> str:
            raise error

        async def record(*_said: object) -> None: ...

        box = SimpleNamespace(sandbox=SimpleNamespace(patience=patience))
        parts = SimpleNamespace(
            database=database,
            places=SimpleNamespace(state=state or tmp_path),
            live=SimpleNamespace(forsaken={}),
            broker=SimpleNamespace(record=record),
            configuration=SimpleNamespace(settings=box),
        )
        services = cast("Services", parts)
        return await step(services, run), await database.read(tasks.column, run, "wish")
    finally:
        database.close()


@pytest.mark.parametrize(
    "error", [RepoError("git said no", hint="Mend it."), SandboxFailed("gone")]
)
async def test_trouble_in_words_becomes_the_runs_reason(tmp_path: Path, error: Exception) -> None:
    gave, wish = await tried(tmp_path, error)
    assert gave == "gave up"
    assert wish.startswith(f"fail:{error}")


async def test_a_bug_fails_the_run_and_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _gave, wish = await tried(tmp_path, ZeroDivisionError("oops"))
    assert wish == "fail:swarm itself failed: ZeroDivisionError: oops"
    assert "a step failed" in caplog.text


async def test_a_persons_stop_is_not_overwritten(tmp_path: Path) -> None:
    _gave, wish = await tried(tmp_path, RepoError("x"), wish="stop:stopped by ada")
    assert wish == "stop:stopped by ada"


@pytest.mark.parametrize("error", [FULL, OSError(errno.ENOSPC, "no space")])
async def test_what_passes_by_itself_is_raised_on(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)):
        await tried(tmp_path, error)


async def test_on_a_disk_without_room_any_trouble_passes_by_itself(tmp_path: Path) -> None:
    with pytest.raises(RepoError):
        await tried(tmp_path, RepoError("couldn't write refs/heads/x.lock"), state=NO_ROOM)


async def test_what_git_said_of_a_full_disk_passes_though_there_is_room_again(
    tmp_path: Path,
) -> None:
    with pytest.raises(RepoError):
        await tried(
            tmp_path, RepoError("git worktree failed: fatal: write error: No space left on device")
        )


@pytest.mark.parametrize(("patience", "again"), [("2m", True), ("0s", False)])
async def test_what_git_could_not_write_and_gave_no_reason_for_is_waited_for_but_not_for_ever(
    tmp_path: Path, patience: str, *, again: bool
) -> None:
    wordless = RepoError("cannot update ref 'refs/swarm/a': couldn't write 'refs/swarm/a.lock'")
    if again:
        with pytest.raises(RepoError):
            await tried(tmp_path, wordless, patience=patience)
    else:
        gave, wish = await tried(tmp_path, wordless, patience=patience)
        assert (gave, wish) == ("gave up", f"fail:{wordless}")


def test_other_errors_of_the_system_do_not_pass() -> None:
    assert not passes(OSError(errno.EACCES, "denied"))
