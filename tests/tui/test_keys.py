"""One table of actions: what is bound, shown, offered and written down is all made from it."""

import inspect
from itertools import combinations
from pathlib import Path

import pytest
from textual.binding import BindingsMap
from textual.message_pump import MessagePump

from app.domain.run import RunState
from app.tui.actions import ACTIONS, PLACES, Place, at
from app.tui.keymap import bindings, footer, help_lines, manual
from app.tui.model.line import line_cells
from app.tui.screens.approve import ApproveScreen
from app.tui.screens.base import SwarmScreen
from app.tui.screens.board import Board
from app.tui.screens.commits import CommitsScreen
from app.tui.screens.cost import CostScreen
from app.tui.screens.dialogs import Confirm
from app.tui.screens.doctor import DoctorScreen
from app.tui.screens.inbox import InboxScreen
from app.tui.screens.new_task import NewTaskScreen
from app.tui.screens.race import RaceScreen
from app.tui.screens.review import ReviewScreen
from app.tui.screens.run import RunScreen
from app.tui.screens.settings import SettingsScreen
from app.tui.screens.trash import TrashScreen
from app.tui.widgets.files_view import FilesView
from app.tui.widgets.line_view import LineView
from app.tui.widgets.question_card import QuestionCard
from tests.support.fleet import RecordedSwarm, app_over
from tests.support.screens import seen, text_of

DOCS = Path(__file__).parents[2] / "docs"
SCREENS: dict[Place, type[SwarmScreen]] = {
    "board": Board,
    "run": RunScreen,
    "review": ReviewScreen,
    "inbox": InboxScreen,
    "cost": CostScreen,
    "trash": TrashScreen,
    "race": RaceScreen,
    "doctor": DoctorScreen,
    "settings": SettingsScreen,
    "commits": CommitsScreen,
}
OWNERS: dict[Place, type[MessagePump]] = {
    **SCREENS,
    "list": LineView,
    "files": FilesView,
    "question": QuestionCard,
    "form": NewTaskScreen,
    "approval": ApproveScreen,
    "dialog": Confirm,
}


def test_every_place_of_the_table_has_an_owner() -> None:
    assert set(OWNERS) == set(PLACES)


@pytest.mark.parametrize("place", PLACES)
def test_what_is_bound_is_what_the_table_says(place: Place) -> None:
    own = inspect.getattr_static(OWNERS[place], "BINDINGS")
    assert list(own) == bindings(place)


@pytest.mark.parametrize("place", SCREENS)
def test_every_action_of_a_screen_does_something(place: Place) -> None:
    assert {action.id for action in at(place)} <= set(SCREENS[place].DOES)


@pytest.mark.parametrize("place", SCREENS)
def test_nothing_is_done_that_the_table_does_not_know(place: Place) -> None:
    known = {action.id for action in at(place)}
    shared = {action.id for action in ACTIONS}
    assert set(SCREENS[place].DOES) - known <= shared


@pytest.mark.parametrize("place", PLACES)
def test_no_key_means_two_things_in_one_place(place: Place) -> None:
    keys = [key for action in at(place) for key in action.keys]
    assert len(keys) == len(set(keys))


def test_a_list_leaves_the_screens_their_keys() -> None:
    # A focused list hears a key before its screen does.
    of_lists = {key for action in at("list") for key in action.keys}
    of_screens = {key for place in SCREENS for action in at(place) for key in action.keys}
    assert of_lists & of_screens == set()


@pytest.mark.parametrize(("one", "two"), list(combinations(SCREENS, 2)))
def test_a_key_means_the_same_on_every_screen(one: Place, two: Place) -> None:
    # Space pages a log and ticks a file off: both are "on with it". `/` looks for words everywhere, and `n`
    # goes to the next place with them, as in every pager; the board keeps only runs with them and needs no `n`.
    # `s` takes the next way of putting things together: runs in groups, costs in sums.
    meanings = [
        {key: action.id for action in at(place) for key in action.keys} for place in (one, two)
    ]
    different = {
        key
        for key in meanings[0].keys() & meanings[1].keys()
        if meanings[0][key] != meanings[1][key]
    }
    assert different <= {"space", "/", "n", "s"}


def test_textual_understands_every_key() -> None:
    for place in PLACES:
        assert BindingsMap(bindings(place)).key_to_bindings


def test_the_manual_is_the_table() -> None:
    written = (DOCS / "reference" / "keys.md").read_text(encoding="utf-8")
    assert written == manual(), "run: python -m tests.support.pictures keys"


@pytest.mark.parametrize("place", PLACES)
def test_help_says_a_sentence_about_every_action(place: Place) -> None:
    text = " ".join(part for line in help_lines(place, 400) for part, _ink in line)
    for action in at(place):
        assert action.help.replace("`", "") in text
        assert action.help.endswith(".")


@pytest.mark.parametrize("width", [20, 40, 80, 160])
@pytest.mark.parametrize("place", PLACES)
def test_the_footer_fits(place: Place, width: int) -> None:
    for state in (None, *RunState):
        assert line_cells(footer(place, state, width)) <= width


def test_the_footer_offers_only_what_is_possible() -> None:
    line = "".join(text for text, _ink in footer("board", RunState.MERGED, 200))
    assert "stop" not in line


async def test_help_shows_the_keys_of_the_screen_one_came_from(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        assert "On the board" in await seen(pilot, "keys")


async def test_the_palette_offers_the_table(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(120, 40)) as pilot:
        offered = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
    assert "new task  n" in offered
    assert "discard  ^d" not in offered, "the selected run waits, it cannot be discarded"


async def test_an_action_from_the_palette_is_done(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(120, 40)) as pilot:
        await pilot.press("ctrl+p", *"new task")
        await seen(pilot, "Give a new task")
        await pilot.press("enter")
        await seen(pilot, "What should be different")


async def test_a_key_that_makes_no_sense_now_says_so(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(120, 40)) as pilot:
        await pilot.press("r")
        await seen(pilot, "not possible for this run: asks you")
    assert swarm.asked == []


async def test_escape_never_leaves_the_board(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("escape", "escape", "escape")
        assert pilot.app.is_running
        assert "needs you first" in text_of(pilot.app)


async def test_q_leaves_a_run_for_the_board_and_the_board_for_the_shell(
    swarm: RecordedSwarm,
) -> None:
    app = app_over(swarm)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("enter")
        await seen(pilot, "needs you first", gone=True)
        await pilot.press("q")
        await seen(pilot, "needs you first")
        await pilot.press("q")
        await pilot.pause()
        assert not app.is_running or app._exit
