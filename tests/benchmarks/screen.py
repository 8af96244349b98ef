"""The screen on a real pseudo-terminal: first frame, diffs of any length, fifty agents at once, and rest.

First frame and `swarm ps` are against a real supervisor with a hundred tasks; the rest against one that only
answers (`screen_stub`), over the same socket and the same protocol. Each part ends after a time, done or not;
whatever ends it ends all that it has started.
"""

import asyncio
import contextlib
import os
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from app import wire
from tests.benchmarks.bounds import Row, ended, limited
from tests.benchmarks.gauges import memory, worked
from tests.benchmarks.screen_stub import AGENTS, TASKS, diff_of
from tests.support.home import Home, answering, home_at, supervisor_process
from tests.support.repos import make_repository
from tests.support.screens import RawPty

NAME = "the screen"
SIZE = (160, 48)
ROUNDS = 5
LENGTHS = (1_000, 100_000, 1_000_000)
PAGES = 18
"""Of the shortest diff there are as many; a page past its end is answered by nothing, which takes a second."""
RATE = 20
"""Events a second of each agent."""
KEYS = 60
WATCHED_SECONDS = 5.0
IDLE_SECONDS = 4.0
FRAMES_LIMIT, DIFF_LIMIT, DELTA_LIMIT, STREAM_LIMIT = 50.0, 45.0, 40.0, 28.0
"""Seconds after which a part is given up: together about 250."""
QUIET = 0.03
"""Seconds without a byte after which an answer is taken to be complete."""
Rows = list[Row]


def measure() -> Rows:
    with tempfile.TemporaryDirectory() as root, ended(Path(root)) as home:
        rows = limited(FRAMES_LIMIT, "first frames", lambda: asyncio.run(_started(home)))
    for lines in LENGTHS:
        rows += limited(DIFF_LIMIT, f"diff of {lines:,} lines", lambda lines=lines: _diff(lines))  # type: ignore[misc]
    rows += limited(DELTA_LIMIT, "delta, 100,000 lines", lambda: _delta(rows))
    return [*rows, *limited(STREAM_LIMIT, f"{AGENTS} agents that talk", _streams)]


async def _started(home: Home) -> Rows:
    script = {"turns": [[{"say": "waiting"}, {"sleep": 120}]]}
    sleeper = {"harness": "scripted", "model": "scripted", "settings": {"script": script}}
    home.configure(
        {"agent": "sleeper", "sandbox": {"driver": "memory"}, "concurrency": 1, "agents": {"sleeper": sleeper}}
    )  # fmt: skip
    repo = make_repository(home.root / "project")
    async with supervisor_process(home):
        swarm = await answering(home)
        for first in range(0, TASKS, 10):
            await asyncio.gather(
                *(swarm.submit(_task(repo, first + number)) for number in range(10))
            )
        # Nothing else of this process runs meanwhile: what is measured has the machine to itself.
        return _first_frames(home, repo)


def _task(repo: Path, number: int) -> wire.NewTask:
    return wire.NewTask(goal=f"task number {number}", repo=str(repo), submitter="bench")


def _first_frames(home: Home, repo: Path) -> Rows:
    took: dict[str, list[float]] = {"textual": [], "frame": [], "ps": []}
    for _ in range(ROUNDS):
        took["textual"].append(_run(home, repo, "-c", "import textual.app"))
        took["ps"].append(_run(home, repo, "-m", "app", "ps"))
        began = time.perf_counter()
        with _screen(home, repo) as pty:
            pty.wait_for(b"task number")
            took["frame"].append(time.perf_counter() - began)
    middle = {name: statistics.median(times) for name, times in took.items()}
    return [
        (f"first frame, {TASKS} tasks", middle["frame"] * 1000, "ms"),
        ("first frame / import textual.app", middle["frame"] / middle["textual"], "x"),
        (f"swarm ps, {TASKS} tasks", middle["ps"] * 1000, "ms"),
    ]


def _run(home: Home, repo: Path, *words: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *words], env=dict(home.env), cwd=repo, check=True, capture_output=True
    )
    return time.perf_counter() - began


def _screen(home: Home, repo: Path) -> RawPty:
    argv = ["sh", "-c", 'cd "$0" && exec "$@"', str(repo), sys.executable, "-m", "app"]
    env = {**home.env, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    return RawPty(argv, size=SIZE, env=env)


@contextlib.contextmanager
def _over_stub(lines: int, rate: int) -> Iterator[tuple[Home, Path]]:
    """A home whose supervisor is the one that only answers."""
    with tempfile.TemporaryDirectory() as root, home_at(Path(root)) as home:
        home.state.mkdir()
        words = ["-m", "tests.benchmarks.screen_stub", str(home.state), str(lines), str(rate)]
        env = {**home.env, "PYTHONPATH": str(Path.cwd())}
        stub = subprocess.Popen([sys.executable, *words], env=env, stdout=subprocess.PIPE)
        try:
            assert stub.stdout is not None
            assert stub.stdout.readline() == b"ready\n"
            yield home, make_repository(home.root / "project")
        finally:
            stub.kill()
            stub.wait()


def _diff(lines: int) -> Rows:
    opened, ends = [], []
    with _over_stub(lines, 0) as (home, repo):
        for _ in range(3):
            with _screen(home, repo) as pty:
                pty.wait_for(b"task number 0")
                pty.wait_until_quiet()
                pty.send(b"\r")
                # Beside the log the same diff is read in.
                pty.wait_for(b"row0000001")
                pty.wait_until_quiet(0.5)
                opened.append(_until(pty, b"2", b"row0000001"))
                ends.append(_until(pty, b"G", f"row{lines - 1:07}".encode()))
                if len(ends) == 3:
                    pty.send(b"g")
                    pty.wait_until_quiet()
                    pages = sorted(_answered(pty, b"\x1b[6~") for _ in range(PAGES))
                    held, idle = memory(pty.pid), _idle(pty)
    named = f"diff of {lines:,} lines"
    return [
        (f"{named}: key to painted", statistics.median(opened) * 1000, "ms"),
        (f"{named}: key to its last line", statistics.median(ends) * 1000, "ms"),
        (f"{named}: a page, median", statistics.median(pages) * 1000, "ms"),
        (f"{named}: a page, the slowest of {PAGES}", pages[-1] * 1000, "ms"),
        (f"{named}: memory of the screen (PSS)", held, "MiB"),
        (f"{named}: written to the terminal while nothing happens", idle, "B/s"),
    ]


def _delta(ours: Rows) -> Rows:
    """How long delta takes until the last line of a hundred thousand can be shown; only where it is installed."""
    if shutil.which("delta") is None:
        return [
            ("delta is not installed: its time to the last line is not compared", float("nan"), "")
        ]
    began = time.perf_counter()
    subprocess.run(
        ["delta", "--paging=never"],
        input=diff_of(100_000),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    took = (time.perf_counter() - began) * 1000
    keys = sum(value for name, value, _ in ours if name.startswith("diff of 100,000 lines: key"))
    return [
        ("delta, 100,000 lines: until the last one", took, "ms"),
        ("delta / opening the diff and going to its end", took / keys, "x"),
    ]


def _streams() -> Rows:
    with _over_stub(1000, AGENTS * RATE) as (home, repo), _screen(home, repo) as pty:
        pty.wait_for(b"task number 0")
        _drain(pty, 2.0)
        began, before, size = time.monotonic(), worked(pty.pid), len(pty.output)
        _drain(pty, WATCHED_SECONDS)
        passed = time.monotonic() - began
        used = (worked(pty.pid) - before) / passed
        written = (len(pty.output) - size) / passed / 1000
        took = []
        for _ in range(KEYS):
            took.append(_until(pty, b"?", b"On the board"))
            pty.send(b"\x1b[27u")
            _drain(pty, 0.15)
        took.sort()
        return [
            (
                f"{AGENTS} agents, {RATE} events/s each: key to frame, median",
                statistics.median(took) * 1000,
                "ms",
            ),
            (f"… the slowest of {KEYS}", took[-1] * 1000, "ms"),
            ("… of one core, while it is watched", used * 100, "%"),
            ("… written to the terminal meanwhile", written, "kB/s"),
            ("… memory of the screen (PSS)", memory(pty.pid), "MiB"),
        ]


def _until(pty: RawPty, key: bytes, text: bytes) -> float:
    """Seconds from a key until the text it asks for has been written."""
    since, began = len(pty.output), time.perf_counter()
    pty.send(key)
    pty.wait_for(text, since=since)
    return time.perf_counter() - began


def _answered(pty: RawPty, key: bytes) -> float:
    """Seconds from a key to the last byte of what comes of it; 0 when nothing does."""
    began = time.perf_counter()
    last = 0.0
    pty.send(key)
    while select.select([pty.fd], [], [], QUIET if last else 1.0)[0]:
        pty.output += os.read(pty.fd, 65536)
        last = time.perf_counter()
    return last - began if last else 0.0


def _drain(pty: RawPty, seconds: float) -> None:
    """Read whatever comes meanwhile."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([pty.fd], [], [], left)[0]:
            pty.output += os.read(pty.fd, 65536)


def _idle(pty: RawPty) -> float:
    pty.wait_until_quiet(1.0)
    before = len(pty.output)
    _drain(pty, IDLE_SECONDS)
    return (len(pty.output) - before) / IDLE_SECONDS
