"""The screen in a real terminal."""

import shutil
import sys

import pytest

from tests.support.screens import Terminal

pytestmark = pytest.mark.tmux

PROGRAM = (
    "from tests.support.fleet import RecordedSwarm, app_over; from tests.support.story import story; "
    "app_over(RecordedSwarm(story())).run()"
)


def test_a_person_opens_the_screen_reads_a_diff_and_leaves() -> None:
    assert shutil.which("tmux"), "this test needs tmux"
    with Terminal([sys.executable, "-c", PROGRAM], size=(80, 24), env={"TZ": "UTC"}) as terminal:
        terminal.wait_for("needs you first")
        terminal.press("j", "Enter")
        terminal.wait_for("REVIEW k3f9m")
        terminal.press("Escape")
        terminal.wait_for("needs you first")
        terminal.press("q")
        terminal.wait_until_ended()
