"""The command line of the screen: the verbs of the shell, with the run that is selected."""

import subprocess
from pathlib import Path

import pytest

from app.tui.screens.command import words_of
from app.tui.screens.outside import waiting
from tests.support.fleet import RecordedSwarm, app_over
from tests.support.screens import seen


def test_the_selected_run_has_a_sign_of_its_own() -> None:
    assert words_of("stop %", "k3f9m.1") == ["stop", "k3f9m.1"]


def test_the_name_of_the_program_may_be_typed_too() -> None:
    assert words_of("swarm trash", "") == ["trash"]


def test_words_in_quotes_stay_together() -> None:
    assert words_of('changes % "say it better"', "a.1") == ["changes", "a.1", "say it better"]


@pytest.mark.parametrize("typed", ["stop %", 'tell "no end'])
def test_what_cannot_be_meant_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"none is selected|No closing quotation"):
        words_of(typed, "")


async def test_a_verb_is_run_and_what_it_says_is_shown(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(100, 30)) as pilot:
        await pilot.press("colon", *"--version", "enter")
        await seen(pilot, "swarm 0.")
        await seen(pilot, "done · esc back")
        await pilot.press("escape")
        await seen(pilot, "needs you first")


@pytest.mark.parametrize("theirs", ["app.py", "app/__init__.py", "app/__main__.py"])
def test_a_verb_that_takes_the_terminal_is_ours_whatever_the_repository_holds(
    tmp_path: Path, theirs: str
) -> None:
    (tmp_path / theirs).parent.mkdir(exist_ok=True)
    (tmp_path / theirs).write_text("raise SystemExit('theirs')")
    command, nothing = waiting("--version"), subprocess.DEVNULL
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, stdin=nothing, check=False
    )
    assert done.stdout.startswith("swarm 0.")


async def test_a_verb_that_there_is_not_is_told_with_its_way_out(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(100, 30)) as pilot:
        await pilot.press("colon", *"trsh", "enter")
        assert "trash" in await seen(pilot, "ended with 2")


async def test_escape_leaves_the_line_and_does_nothing(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(100, 30)) as pilot:
        await pilot.press("colon", *"stop %", "escape")
        await seen(pilot, "needs you first")
    assert swarm.asked == []
