"""Looking at a screen as a person does: the text of an application under test, and a real terminal."""

import fcntl
import os
import pty
import select
import shlex
import shutil
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

import pytest
from textual.app import App
from textual.pilot import Pilot

from app.tui.app import SwarmApp
from app.tui.screens.review import ReviewScreen
from tests.support.patience import PATIENCE


def text_of(app: App[None]) -> str:
    """What is on the screen, line by line, without what trails."""
    # The compositor is the only place that knows the finished screen, and Textual keeps it private.
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips).rstrip() + "\n"


async def settled(pilot: Pilot[None]) -> None:
    """Everything that was asked for has arrived and is drawn."""
    await pilot.pause()
    while under_way := [
        worker for worker in pilot.app.workers if worker.group not in {"feed", "verbs"}
    ]:
        await pilot.app.workers.wait_for_complete(under_way)
    await pilot.pause()


async def seen(pilot: Pilot[None], text: str, *, gone: bool = False) -> str:
    """Wait until the screen shows the text, or with `gone` no longer does, and return the screen."""
    deadline = time.monotonic() + PATIENCE / 5
    while time.monotonic() < deadline:
        screen = text_of(pilot.app)
        if (text in screen) != gone:
            return screen
        await pilot.pause(0.05)
    raise AssertionError(
        f"{text!r} is {'still' if gone else 'not'} on the screen:\n{text_of(pilot.app)}"
    )


async def in_review(pilot: Pilot[None]) -> ReviewScreen:
    """The review of the recorded story's `k3f9m`, opened from the board."""
    await pilot.press("j", "enter")
    await seen(pilot, "REVIEW k3f9m")
    await seen(pilot, "file 1/4")
    await settled(pilot)
    assert isinstance(pilot.app.screen, ReviewScreen)
    return pilot.app.screen


def app_of(pilot: Pilot[None]) -> SwarmApp:
    assert isinstance(pilot.app, SwarmApp)
    return pilot.app


def need_tmux() -> None:
    """Skip the test where there is no tmux; fail it where tmux is required."""
    if shutil.which("tmux") is None:
        if "tmux" in os.environ.get("SWARM_REQUIRE", ""):
            pytest.fail("SWARM_REQUIRE names tmux, but it is not installed")
        pytest.skip("tmux is not installed")


class Terminal:
    """A program in a real terminal, driven like one: a tmux server of its own, gone when the block ends."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        size: tuple[int, int] = (160, 48),
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.argv, self.size, self.cwd = argv, size, cwd
        self.env = {**os.environ, "COLORTERM": "truecolor", **(env or {})}
        self.name = f"swarm-test-{uuid4().hex[:10]}"

    def __enter__(self) -> Self:
        width, height = self.size
        env = {key: value for key, value in self.env.items() if key not in {"TMUX", "TMUX_PANE"}}
        # The pane stays after the program ends, so that its last words can be read.
        command = "exec env TERM=tmux-256color " + shlex.join(self.argv)
        self._tmux("new-session", "-d", "-x", str(width), "-y", str(height), "sh", env=env)
        self._tmux("set-option", "-g", "remain-on-exit", "on")
        self._tmux("set-option", "-s", "escape-time", "10")
        where = ["-c", str(self.cwd)] if self.cwd else []
        self._tmux("respawn-pane", "-k", *where, command)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tmux("kill-server", check=False)

    def press(self, *keys: str) -> None:
        """Keys by tmux's names: `Enter`, `Escape`, `C-d`, or a letter."""
        for key in keys:
            self._tmux("send-keys", key)

    def type(self, text: str) -> None:
        """Text, letter by letter as it is."""
        self._tmux("send-keys", "-l", text)

    def text(self) -> str:
        return self._tmux("capture-pane", "-p")

    def wait_for(self, text: str, *, gone: bool = False, seconds: float = PATIENCE) -> str:
        """Wait until the text is there, or with `gone` no longer there; returns the whole screen."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            screen = self.text()
            if (text in screen) != gone:
                return screen
            time.sleep(0.05)
        raise AssertionError(
            f"{text!r} is {'still' if gone else 'not'} on the screen:\n{self.text()}"
        )

    def press_until(self, key: str, text: str) -> None:
        """Keys that decide something are not taken while their screen is only just there: press again."""
        for _ in range(20):
            self.press(key)
            with suppress(AssertionError):
                self.wait_for(text, seconds=3)
                return
        self.wait_for(text)

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    @property
    def running(self) -> bool:
        return self._tmux("list-panes", "-F", "#{pane_dead}").strip() == "0"

    def wait_until_ended(self, seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        while self.running:
            if time.monotonic() > deadline:
                raise AssertionError(f"the program still runs:\n{self.text()}")
            time.sleep(0.05)

    def _tmux(self, *words: str, check: bool = True, env: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            ["tmux", "-L", self.name, "-f", "/dev/null", *words],
            capture_output=True, text=True, check=False, env=env,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"tmux {shlex.join(words)}: {done.stderr.strip()}")
        return done.stdout


class RawPty:
    """A program on a pseudo-terminal of which every byte it writes is kept."""

    def __init__(
        self, argv: Sequence[str], *, size: tuple[int, int], env: Mapping[str, str]
    ) -> None:
        self.output = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:  # pragma: no cover - the child is another program at once
            os.execvpe(argv[0], list(argv), {**os.environ, **env})
        width, height = size
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def send(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def wait_for(self, text: bytes, *, since: int = 0, seconds: float = PATIENCE) -> None:
        """Read until the text has come, `since` so many bytes of what is kept."""
        deadline = time.monotonic() + seconds
        while text not in self.output[since:]:
            if time.monotonic() > deadline or not self._read(0.2):
                raise AssertionError(f"{text!r} did not come; the end is {self.output[-2000:]!r}")

    def read_to_end(self) -> bytes:
        """Everything it writes from now on, until it ends by itself; what is silent for too long hangs."""
        pieces = []
        with suppress(OSError):
            while select.select([self.fd], [], [], PATIENCE)[0]:
                pieces.append(os.read(self.fd, 65536))
            end = b"".join(pieces)[-2000:]
            raise AssertionError(
                f"for {PATIENCE:.0f} s it neither wrote nor ended; the end is {end!r}"
            )
        return b"".join(pieces)

    @property
    def alive(self) -> bool:
        """Whether the program still runs."""
        return os.waitpid(self.pid, os.WNOHANG) == (0, 0)

    def wait_until_quiet(self, seconds: float = 0.1) -> None:
        """Read until the program neither writes nor works, however slow the machine is."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            worked = self._worked()
            if select.select([self.fd], [], [], seconds)[0]:
                if not self._read(0.0):
                    return
            elif worked is None or (worked[1] and worked == self._worked()):
                return
        raise AssertionError(f"it is never quiet; the end is {self.output[-2000:]!r}")

    def _worked(self) -> tuple[int, bool] | None:
        """Ticks the program has worked so far, and whether it wants no more; None when it is gone."""
        try:
            tasks = [one.read_text() for one in Path(f"/proc/{self.pid}/task").glob("*/stat")]
        except OSError:
            return None
        # After the name in brackets: the state, and from the twelfth on the ticks as user and as system.
        told = [task.rpartition(")")[2].split() for task in tasks]
        ticks = sum(int(words[11]) + int(words[12]) for words in told)
        return ticks, all(words[0] == "S" for words in told)

    def _read(self, seconds: float) -> bool:
        """Whether the program is still there."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            self.output += os.read(self.fd, 65536)
        except OSError:
            return False
        return True
