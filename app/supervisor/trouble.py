"""What becomes of a run whose step cannot do its work: it fails, with the reason, and can be resumed.

Only what passes by itself is raised on, so that the step is said again: a full disk, a database that does not
answer, and for a while a Docker that does not. All else would fail the same way for hours, and the run would
only look busy.
"""

import contextlib
import errno
import functools
import logging
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeAlias, TypeVar

import sqlalchemy as sa

from app.config.paths import full
from app.config.values import seconds
from app.domain.errors import RepoError, SwarmError, UsageError
from app.domain.events import Note
from app.domain.ids import RunId
from app.repo.git import unwritten
from app.repo.shared import Unshared
from app.store import tasks
from app.store.refusals import PASSING
from app.supervisor.errors import LEAF_ERRORS, told
from app.supervisor.services import Services
from harnesses.errors import HarnessError
from sandboxes.errors import EngineAway, SandboxError

P = ParamSpec("P")
T = TypeVar("T")
Step: TypeAlias = Callable[Concatenate[Services, RunId, P], Awaitable[T]]

TROUBLE = (SwarmError, *LEAF_ERRORS)
"""What is said in words for a person."""
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_IN_WORDS = (*(os.strerror(code) for code in _FULL), "Out of diskspace")
"""What git says of it."""

_log = logging.getLogger(__name__)


def passes(error: Exception) -> bool:
    """Whether waiting helps."""
    match error:
        case OSError():
            return error.errno in _FULL
        case RepoError():
            # By the time it is said, there may be room again.
            return any(words in error.message for words in _FULL_IN_WORDS)
        case _:
            return isinstance(error, PASSING)


def fails_the_run(otherwise: T) -> Callable[[Step[P, T]], Step[P, T]]:
    """A step that, when it cannot do its work, gives `otherwise` and leaves the reason as the run's wish."""

    def guard(function: Step[P, T]) -> Step[P, T]:
        @functools.wraps(function)
        async def guarded(s: Services, run: RunId, /, *args: P.args, **kwargs: P.kwargs) -> T:
            try:
                done = await function(s, run, *args, **kwargs)
            except Exception as error:  # The edge of everything below the workflows.
                if (why := await _reason(s, run, error)) is None:
                    raise
                await s.database.write(_fail, run, why)
                return otherwise
            s.live.forsaken.pop(run, None)
            return done

        return guarded

    return guard


async def _reason(s: Services, run: RunId, error: Exception) -> str | None:
    """Why the run fails; None when the step is to be said again."""
    match error:
        case Unshared():
            # The way to the others is cut: what it was about is here, and goes there later.
            note = Note(f"it is tried again: {told(error)}", "warning")
            await s.broker.record(run, f"unshared/{error.message}", note)
            return None
        case EngineAway() if await _waits(s, run, error):
            return None
        case _ if passes(error):
            return None
        case UsageError():
            return told(error)
        case SwarmError() | HarnessError() | SandboxError():
            return None if await room_may_come(s, run, error) else told(error)
        case _:
            return unforeseen(error)


async def _waits(s: Services, run: RunId, error: EngineAway | RepoError) -> bool:
    """Whether what does not answer, or cannot write, is waited for a while longer; said in the run's log, once."""
    # Whatever becomes of the clock meanwhile.
    since = s.live.forsaken.setdefault(run, time.monotonic())
    if time.monotonic() - since >= seconds(s.configuration.settings.sandbox.patience):
        del s.live.forsaken[run]
        return False
    note = Note(f"it waits, and goes on by itself: {told(error)}", "warning")
    await s.broker.record(run, f"forsaken/{since}", note)
    return True


async def room_may_come(s: Services, run: RunId, error: Exception) -> bool:
    """Whether it failed for want of room, or may have: by the time it is said, there may be some again."""
    if passes(error) or await _without_room(s, run):
        return True
    if isinstance(error, RepoError) and unwritten(error.message):
        return await _waits(s, run, error)
    return False


async def _without_room(s: Services, run: RunId) -> bool:
    """Whether the disk of the state, or that of the user's repository, is full."""
    task = await s.database.read(tasks.task, (await s.database.read(tasks.run, run)).task)
    for place in (s.places.state, Path(task.repo)):
        with contextlib.suppress(OSError):
            if full(place):
                return True
    return False


def unforeseen(error: Exception) -> str:
    """Words for an error nobody thought of; the supervisor's log gets all of it."""
    _log.error("a step failed", exc_info=error)
    return f"swarm itself failed: {type(error).__name__}: {error}"


def _fail(c: sa.Connection, run: RunId, why: str) -> None:
    if not tasks.column(c, run, "wish").startswith("stop:"):
        tasks.update(c, run, wish=f"fail:{why}")
