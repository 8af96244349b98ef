"""How long a verb takes, against the bare interpreter and against importing what it cannot do without."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.home import home_at

NAME = "start-up of the command line"
ROUNDS = 7
PROGRAMS = {
    "floor": ["-c", "pass"],
    "asyncio": ["-c", "import asyncio, json, socket"],
    "textual": ["-c", "import textual.app"],
    "version": ["-m", "app", "--version"],
    "screen": ["-c", "import app.tui.app"],
}


def measure() -> list[tuple[str, float, str]]:
    """Medians of interleaved rounds."""
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    with tempfile.TemporaryDirectory() as root, home_at(Path(root)) as home:
        for _ in range(ROUNDS):
            for name, arguments in PROGRAMS.items():
                began = time.perf_counter()
                subprocess.run(
                    [sys.executable, *arguments],
                    env=dict(home.env),
                    check=True,
                    capture_output=True,
                )
                seconds[name].append(time.perf_counter() - began)
    took = {name: statistics.median(values) for name, values in seconds.items()}
    return [
        ("swarm --version", took["version"] * 1000, "ms"),
        ("swarm --version / python -c pass", took["version"] / took["floor"], "x"),
        ("swarm --version / import asyncio, json, socket", took["version"] / took["asyncio"], "x"),
        ("import of the screen / import textual.app", took["screen"] / took["textual"], "x"),
    ]
