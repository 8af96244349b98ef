"""An agent's question: answered only where it stands, and never by accident."""

import pytest
from msgspec.structs import replace

from app.domain import events as own
from app.domain.ids import ApprovalId, RunId
from app.tui.widgets import deaf
from app.tui.widgets.fleet_table import FleetTable
from app.tui.widgets.question_card import QuestionCard
from app.wire import Answer
from tests.support.fleet import RecordedSwarm, app_over, question, swap
from tests.support.screens import seen, settled, text_of

ASKED = "h7fz4.1-a1"


async def test_the_board_shows_what_is_asked_and_why_a_person_is(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        assert "why you: the command changes files outside src/api" in await seen(
            pilot, "the agent asks"
        )


async def test_what_swarm_itself_asks_is_told_from_what_an_agent_asks(swarm: RecordedSwarm) -> None:
    asked = question(RunId("h7fz4.1"), "May it go on writing to the disk?", action="box")
    swap(swarm.recording, "h7fz4", question=asked)
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await seen(pilot, "swarm asks")
        await pilot.press("a")
        keys = (await seen(pilot, "a yes")).splitlines()
    offered = next(line for line in keys if "d no" in line)
    assert "always" not in offered
    assert "for this run" not in offered


async def test_the_first_a_goes_to_the_question_and_answers_nothing(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("a")
        await pilot.pause()
        assert isinstance(pilot.app.focused, QuestionCard)
    assert swarm.asked == []


@pytest.mark.parametrize(("key", "yes"), [("a", True), ("1", True), ("d", False), ("2", False)])
async def test_with_the_focus_on_it_a_key_answers(
    swarm: RecordedSwarm, key: str, yes: bool
) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("a")
        await seen(pilot, "a yes")
        await pilot.press(key)
        await seen(pilot, "the agent asks", gone=True)
    assert swarm.asked == [("answer", ASKED, Answer(yes=yes, by="ada"))]


async def test_once_it_is_answered_the_list_has_the_focus_again(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("a")
        await seen(pilot, "a yes")
        await pilot.press("a")
        await seen(pilot, "the agent asks", gone=True)
        await settled(pilot)
        assert isinstance(pilot.app.focused, FleetTable)


async def test_without_the_focus_the_keys_of_the_question_answer_nothing(
    swarm: RecordedSwarm,
) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("1", "2", "d")
        await settled(pilot)
    assert swarm.asked == []


@pytest.mark.usefixtures("deaf_ears")
async def test_keys_typed_ahead_answer_nothing(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("a", "a", "a", "d", "1")
        await settled(pilot)
    assert swarm.asked == []


async def test_a_second_question_is_deaf_again(
    swarm: RecordedSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("a")
        await seen(pilot, "a yes")
        monkeypatch.setattr(deaf, "SECONDS", 3600.0)
        second = question(RunId("h7fz4.1"), "Bash: rm -rf build")
        swap(swarm.recording, "h7fz4", question=replace(second, id=ApprovalId("h7fz4.1-a2")))
        swarm.happens(RunId("h7fz4.1"), own.Asked(ApprovalId("h7fz4.1-a2"), "Bash: rm -rf build"))
        await seen(pilot, "rm -rf build")
        await pilot.press("a")
        await settled(pilot)
    assert swarm.asked == []


async def test_no_can_say_why(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("a")
        await seen(pilot, "a yes")
        await pilot.press("D")
        await seen(pilot, "no, because")
        await pilot.press(*"history is shared", "enter")
        await seen(pilot, "the agent asks", gone=True)
    assert swarm.asked == [("answer", ASKED, Answer(yes=False, note="history is shared", by="ada"))]


async def test_escape_leaves_it_open(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("a")
        await seen(pilot, "a yes")
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(pilot.app.focused, FleetTable)
        assert "the agent asks" in text_of(pilot.app)
    assert swarm.asked == []


async def test_the_footer_shows_the_keys_of_the_question_while_it_has_the_focus(
    swarm: RecordedSwarm,
) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("a")
        screen = await seen(pilot, "no, and why")
        assert "new task" not in screen.splitlines()[-1]


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_its_keys_are_told_once(swarm: RecordedSwarm, size: tuple[int, int]) -> None:
    async with app_over(swarm).run_test(notifications=True, size=size) as pilot:
        await pilot.press("a")
        assert (await seen(pilot, "no, and why")).count("no, and why") == 1


async def test_what_swarm_itself_asks_takes_no_answer_for_good(swarm: RecordedSwarm) -> None:
    asked = question(RunId("h7fz4.1"), "May it go on writing to the disk?", action="box")
    swap(swarm.recording, "h7fz4", question=asked)
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("a")
        await seen(pilot, "a yes")
        await pilot.press("r", "A")
        await settled(pilot)
    assert swarm.asked == []


async def test_it_is_answered_from_the_run_view_too(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("enter")
        await seen(pilot, "needs you first", gone=True)
        await pilot.press("a")
        await seen(pilot, "a yes")
        await pilot.press("a")
        await seen(pilot, "the agent asks", gone=True)
    assert [verb for verb, _about, _body in swarm.asked] == ["answer"]
