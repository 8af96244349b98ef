"""Find the supervisor of a state directory, or start it as a background process."""

import asyncio
import os
import sys
import time
from pathlib import Path

from app import wire
from app.client.client import Swarm
from app.client.way import Way, elsewhere
from app.config import paths
from app.domain.errors import ConfigError, EnvironmentProblem, Unreachable

START_SECONDS = 30.0


async def find(state: Path) -> tuple[Swarm, wire.Hello]:
    """The running supervisor. Raises `Unreachable` when none runs, or it speaks another protocol."""
    return await _ask(paths.api_socket(state))


async def _ask(way: Way) -> tuple[Swarm, wire.Hello]:
    swarm = Swarm(way)
    hello = await swarm.hello()
    if hello.protocol != wire.PROTOCOL:
        raise Unreachable(
            f"the supervisor running here is swarm {hello.version} (protocol {hello.protocol}), "
            f"this program speaks protocol {wire.PROTOCOL}",
            hint="`swarm upgrade` puts this version in charge; agents go on meanwhile.",
        )
    return swarm, hello


async def find_or_start(state: Path) -> tuple[Swarm, wire.Hello]:
    """The running supervisor, started in the background when none runs; or the one that `SWARM_URL` names."""
    if way := elsewhere():
        return await _ask(way)
    try:
        return await find(state)
    except Unreachable:
        if paths.api_socket(state).exists() and await _listens(state):
            raise
    return await start(state)


async def start(state: Path) -> tuple[Swarm, wire.Hello]:
    """Start a supervisor and wait until it answers. Raises `EnvironmentProblem` with its last words."""
    ensure_state(state)
    log = state / "supervisor.log"
    began = log.stat().st_size if log.exists() else 0
    process = _spawn(state, log)
    ended, status = 0, 0
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            return await find(state)
        except Unreachable:
            ended, status = os.waitpid(process, os.WNOHANG)  # noqa: ASYNC222 - WNOHANG does not wait
            if ended:
                break
        await asyncio.sleep(0.03)
    words = _last_words(log, began)
    if not words and paths.full(state):
        raise EnvironmentProblem(
            f"the supervisor did not start: the disk of {state} is full, there is no room even for its log",
            hint="Free some space, and try again. What is stored is as it was.",
        )
    # What the user wrote is wrong, not the machine: the supervisor's exit code tells them apart.
    code = os.waitstatus_to_exitcode(status)
    raise (ConfigError if code == ConfigError.exit_code else EnvironmentProblem)(
        f"the supervisor did not start: {words or 'it said nothing'}",
        hint=f"Its log is {log}.",
    )


def ensure_state(state: Path) -> None:
    """Make the state directory. Raises `EnvironmentProblem` when it cannot be made or written."""
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise EnvironmentProblem(
            f"the state directory {state} cannot be made: {error.strerror or error}",
            hint="Set SWARM_STATE_DIR to a directory of yours.",
        ) from error
    paths.refuse_closed(state)


def _spawn(state: Path, log: Path) -> int:
    """The supervisor in a session of its own, so that it outlives this program and its terminal; its pid."""
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.posix_spawn(
        sys.executable,
        # -P: the user's repository is the working directory, and may have a package called `app` of its own.
        [sys.executable, "-P", "-m", "app.daemon", "--state", str(state)],
        {**os.environ, "SWARM_STATE_DIR": str(state)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


async def _listens(state: Path) -> bool:
    try:
        _reader, writer = await asyncio.open_unix_connection(paths.api_socket(state))
    except OSError:
        return False
    writer.close()
    return True


def _last_words(log: Path, began: int) -> str:
    """What it printed since this start: the line that says what is wrong, else the last one."""
    with log.open("rb") as file:
        file.seek(began)
        lines = file.read().decode(errors="replace").strip().splitlines()
    told = [line.removeprefix("swarm: ") for line in lines if line.startswith("swarm: ")]
    return " ".join(told) or (lines[-1] if lines else "")
