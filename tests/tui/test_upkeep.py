"""The trash, health and settings on the screen: what the command line says of them, and what can be done."""

import asyncio

import pytest

from app import wire
from app.domain.errors import NotNow
from app.tui.model.line import Line, line_cells
from app.tui.model.upkeep import health_lines, health_words, setting_lines
from app.tui.widgets.searched_view import Lines
from tests.support.fleet import RecordedSwarm, app_over
from tests.support.screens import seen


def words(lines: list[Line]) -> str:
    return "\n".join("".join(text for text, _ink in line) for line in lines)


async def test_the_trash_lists_what_was_discarded(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("T")
        screen = await seen(pilot, "try a ring buffer")
        assert "port the docs" in screen
        assert "+212" in screen


async def test_a_run_is_brought_back_from_the_trash(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("T")
        await seen(pilot, "try a ring buffer")
        await pilot.press("j", "U")
        await seen(pilot, "d9mqa is back")
    assert swarm.asked == [("restore", "d9mqa.1", wire.Act(by="ada"))]


async def test_what_is_marked_comes_back_together(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("T")
        await seen(pilot, "try a ring buffer")
        await pilot.press("*", "U")
        await seen(pilot, "c2vbn, d9mqa are back")


async def test_what_cannot_come_back_is_said_with_the_way_out(swarm: RecordedSwarm) -> None:
    swarm.refusal = NotNow("its branch is checked out elsewhere", hint="Leave that branch first.")
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("T")
        await seen(pilot, "try a ring buffer")
        await pilot.press("U")
        await seen(pilot, "Leave that branch first.")


async def test_an_empty_trash_says_so(swarm: RecordedSwarm) -> None:
    swarm.recording.trash.clear()
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("T")
        await seen(pilot, "the trash is empty")


async def test_health_says_what_is_missing_and_what_to_do(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("H")
        screen = await seen(pilot, "1 of what swarm needs is missing")
        assert "Set it for the supervisor" in screen
        assert screen.index("key for gpt") < screen.index("git 2.39.5"), "what is wrong comes first"


def test_what_is_not_needed_is_no_alarm() -> None:
    odd = wire.DoctorLine(name="seccomp", ok=False, found="none", needed=False)
    assert words([health_words([odd])]) == " works, with 1 to look at"


async def test_settings_say_where_each_is_from(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(120, 24)) as pilot:
        await pilot.press("comma")
        screen = await seen(pilot, "budget.run")
        assert "/home/ada/.config/swarm/config.yaml:3" in screen


async def test_a_setting_is_found_by_words(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("comma")
        await seen(pilot, "budget.run")
        await pilot.press("/", *"nowhere", "enter")
        await seen(pilot, "'nowhere' is not in here")


def test_no_line_is_wider_than_the_screen(swarm: RecordedSwarm) -> None:
    for width in (40, 80, 160):
        lines = health_lines(swarm.recording.health, width)
        lines += setting_lines(swarm.recording.settings, width)
        assert all(line_cells(line) <= width for line in lines)


async def test_health_says_how_the_hosts_are_that_share_the_work(swarm: RecordedSwarm) -> None:
    swarm.recording.hosts = (
        wire.HostLine(id="1", name="laptop", state="up", silent=1, busy=2, capacity=4, here=True),
        wire.HostLine(
            id="2",
            name="tower\x1b[2J",
            state="dead",
            silent=300,
            capacity=8,
            labels=("gpu",),
            skew=9,
        ),
    )
    async with app_over(swarm).run_test(notifications=True, size=(100, 40)) as pilot:
        await pilot.press("H")
        screen = await seen(pilot, "hosts that share the work")
    assert "✓ laptop" in screen
    assert "2 of 4 at work · heard of 1s ago · this one" in screen
    assert "✗ tower␛[2J" in screen
    assert "heard of 5m ago · its clock is +9 s off · gpu" in screen


async def test_where_one_host_works_alone_nothing_is_said_of_hosts(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(100, 40)) as pilot:
        await pilot.press("H")
        assert "hosts that" not in await seen(pilot, "Set it for the supervisor")


async def test_an_answer_that_comes_while_its_screen_is_taken_down_does_no_harm(
    swarm: RecordedSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, told = asyncio.Event(), asyncio.Event()

    async def doctor() -> tuple[wire.DoctorLine, ...]:
        told.set()
        await gone.wait()
        return swarm.recording.health

    monkeypatch.setattr(swarm, "doctor", doctor)
    monkeypatch.setattr(Lines, "on_unmount", lambda _self: gone.set(), raising=False)
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("H")
        await told.wait()
        await pilot.press("escape")
        await gone.wait()
        await seen(pilot, "needs you first")
