"""A user at the command line, in an own home, with a supervisor that gives prepared answers."""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import run
from tests.support.canned import Canned, canned


@dataclass(frozen=True)
class Done:
    """How a call ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class User:
    """Types commands."""

    def __init__(self, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._patch = patch

    def types(self, *arguments: str, stdin: str = "") -> Done:
        """Call `swarm` with these arguments, from a pipe."""
        self._patch.setattr(sys, "stdin", io.StringIO(stdin))
        self._capsys.readouterr()
        code = run(arguments)
        out, err = self._capsys.readouterr()
        return Done(code, out, err)

    def at_a_terminal(self, *arguments: str, answers: str = "") -> Done:
        """Call `swarm` as at a keyboard: answers are typed when a question is put."""

        class Keyboard(io.StringIO):
            def isatty(self) -> bool:
                return True

        self._capsys.readouterr()
        self._patch.setattr(sys, "stdin", Keyboard(answers))
        for stream in (sys.stdout, sys.stderr):
            self._patch.setattr(stream, "isatty", lambda: True)
        code = run(arguments)
        out, err = self._capsys.readouterr()
        return Done(code, out, err)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's repository, where commands are typed; own state and configuration beside it."""
    for name, folder in (("STATE_DIR", "state"), ("CONFIG_DIR", "config")):
        monkeypatch.setenv(f"SWARM_{name}", str(tmp_path / folder))
    for name in ("NO_COLOR", "SWARM_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("USER", "ada")
    monkeypatch.setenv("LOGNAME", "ada")
    repo = tmp_path / "project"
    (repo / ".git").mkdir(parents=True)
    monkeypatch.chdir(repo)
    return repo


@pytest.fixture
def user(place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> User:
    """Somebody in a repository."""
    return User(capsys, monkeypatch)


@pytest.fixture
def supervisor(place: Path, tmp_path: Path) -> Iterator[Canned]:
    """A supervisor that answers what it is told to."""
    with canned(tmp_path / "state") as supervisor:
        yield supervisor
