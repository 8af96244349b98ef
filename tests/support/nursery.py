"""Supervisors that start fast: forked from a process that has loaded everything and done nothing yet.

Each is a process of its own that runs the daemon's own `main`, and dies by a signal like any other.
The nursery reads one line of JSON per supervisor from its standard input and answers with a process id.
"""

import contextlib
import json
import mmap
import os
import select
import signal
import struct
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from app import daemon
from tests.support.home import Home
from tests.support.patience import PATIENCE
from tests.support.writes import WRITES, die_after_writes

TOP = Path(__file__).parents[2]
CLOCK = "SWARM_TEST_CLOCK"
"""Names a file of eight bytes, see `set_clock`."""


class Born:
    """A supervisor's process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)

    @property
    def lives(self) -> bool:
        return not select.select([self._handle], [], [], 0)[0]

    def send(self, number: signal.Signals) -> None:
        """Nothing when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)

    def end(self, number: signal.Signals = signal.SIGKILL, seconds: float = PATIENCE) -> None:
        """Send the signal, and wait until it has ended."""
        self.send(number)
        ended = select.select([self._handle], [], [], seconds)[0]
        assert ended, f"the supervisor lives {seconds:g} seconds after {number!r}"

    def close(self) -> None:
        os.close(self._handle)


class Nursery:
    """Where supervisors come from."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @contextlib.contextmanager
    def supervisor(self, home: Home, **env: str) -> Iterator[Born]:
        """A new supervisor of that home, killed at the end if it lives."""
        asked = {"env": {**home.env, **env}, "log": str(home.root / "supervisor.log")}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(asked | {"state": str(home.state)}) + "\n")
        self._process.stdin.flush()
        born = Born(int(self._process.stdout.readline()))
        try:
            yield born
        finally:
            born.end()
            born.close()


@contextlib.contextmanager
def nursery() -> Iterator[Nursery]:
    """A nursery, closed at the end."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.nursery"],
        cwd=TOP,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Nursery(process)


def main() -> None:
    """Fork a supervisor for each line; the kernel buries them. None outlives the tests, however those end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    born = []
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _live(**json.loads(line))
        with contextlib.suppress(ProcessLookupError):
            born.append(Born(pid))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    for each in born:
        each.send(signal.SIGKILL)


def _live(env: dict[str, str], log: str, state: str) -> None:
    """Become what `python -m app.daemon` is."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((nothing, 0), (told, 1), (told, 2)):
        os.dup2(source, target)
    os.chdir("/")
    os.environ.clear()
    os.environ.update(env)
    if wrong_by := env.get(CLOCK):
        _bend_time(Path(wrong_by))
    if still := env.get(WRITES):
        die_after_writes(Path(still))
    warnings.simplefilter("error")
    sys.argv = ["app.daemon", "--state", state]
    code = 1
    try:
        daemon.main()
        code = 0
    except SystemExit as exit_:
        code = exit_.code if isinstance(exit_.code, int) else 1
    finally:
        sys.stderr.flush()
        os._exit(code)


def set_clock(file: Path, seconds: float) -> None:
    """Let the clock of supervisors whose environment names that file be wrong by so much from now on."""
    with file.open("r+b" if file.exists() else "wb") as kept:
        kept.write(struct.pack("d", seconds))


def _bend_time(file: Path) -> None:
    """The wall clock of this process, `time.time`, is wrong by what stands in the file at each look."""
    with file.open("rb") as kept:
        shown = mmap.mmap(kept.fileno(), 8, access=mmap.ACCESS_READ)
    right = time.time
    vars(time)["time"] = lambda: right() + struct.unpack_from("d", shown)[0]


if __name__ == "__main__":
    main()
