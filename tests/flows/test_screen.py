"""A user at a real terminal: starts swarm, gives a task, reads the diff, approves with the documented key."""

import sys
from pathlib import Path

import pytest

from app.tui.actions import Place, find
from tests.support.home import Home
from tests.support.repos import run_git
from tests.support.screens import Terminal, need_tmux

pytestmark = [pytest.mark.tmux]


@pytest.fixture
def terminal(home: Home, repo: Path) -> Terminal:
    """`swarm`, typed in the repository, in a terminal of the usual size."""
    need_tmux()
    return Terminal([sys.executable, "-m", "app"], size=(80, 24), env=home.env, cwd=repo)


def documented(place: Place, action: str) -> str:
    """The key the manual shows, by tmux's name."""
    key = find(place, action).keys[0]
    return f"C-{key.removeprefix('ctrl+')}" if key.startswith("ctrl+") else key


def test_a_task_given_and_approved_on_the_screen_is_a_commit(
    terminal: Terminal, repo: Path
) -> None:
    with terminal as screen:
        screen.wait_for("No tasks yet")
        screen.press(documented("board", "new"))
        screen.wait_for("What should be different")
        screen.type("Write a note")
        screen.press(documented("form", "submit"))
        screen.wait_for("review")
        screen.press(documented("board", "diff"))
        screen.wait_for("+ # What the scripted agent")
        screen.press("Escape", "Enter")
        screen.wait_for("REVIEW")
        screen.press_until(documented("review", "approve"), "lands on main")
        screen.press_until(documented("approval", "land"), "merged")
        screen.press("q")
    assert "Swarm-Run: " in run_git(repo, "log", "-1", "--format=%B", "main")
    assert (repo / "scripted.md").exists()
