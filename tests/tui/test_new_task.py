"""The form of a new task."""

from app.domain.errors import NotFound
from app.domain.money import Micros
from app.wire import NewTask
from tests.support.fleet import REPO, RecordedSwarm, app_over
from tests.support.screens import seen


async def test_a_goal_is_all_it_takes(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("n")
        await seen(pilot, "What should be different")
        await pilot.press(*"fix it", "ctrl+s")
        await seen(pilot, "is on its way")
    assert swarm.asked == [("submit", "", NewTask(goal="fix it", repo=REPO, submitter="ada"))]


async def test_every_field_is_sent_as_it_was_typed(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("n")
        await seen(pilot, "What should be different")
        await pilot.press(
            *"fix it",
            "tab",
            "tab",
            *"main",
            "tab",
            *"1.5",
            "tab",
            *"make test",
            "enter",
            *"make lint",
        )
        await pilot.press("ctrl+s")
        await seen(pilot, "is on its way")
    wanted = NewTask(
        goal="fix it",
        repo=REPO,
        base="main",
        budget=Micros(1_500_000),
        checks=("make test", "make lint"),
        submitter="ada",
    )
    assert swarm.asked == [("submit", "", wanted)]


async def test_it_says_what_the_task_may_cost_at_most(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("n")
        await seen(pilot, "what the configuration allows")
        await pilot.press("tab", "tab", "tab", *"0.75")
        await seen(pilot, "May spend $0.75 at most")


async def test_an_amount_that_is_none_is_said_while_it_is_typed(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("n")
        await seen(pilot, "What should be different")
        await pilot.press("tab", "tab", "tab", *"lots")
        await seen(pilot, "not an amount in dollars")


async def test_without_a_goal_nothing_is_sent(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("n")
        await seen(pilot, "What should be different")
        await pilot.press("ctrl+s")
        await seen(pilot, "say what should be different")
    assert swarm.asked == []


async def test_what_the_supervisor_refuses_is_said_and_the_form_stays(swarm: RecordedSwarm) -> None:
    swarm.refusal = NotFound("there is no agent clade-code", hint="Did you mean claude-code?")
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("n")
        await seen(pilot, "What should be different")
        await pilot.press(*"fix it", "ctrl+s")
        assert "fix it" in await seen(pilot, "Did you mean claude-code?")


async def test_an_agent_can_be_chosen_and_why_another_cannot_be_used_is_said(
    swarm: RecordedSwarm,
) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("n")
        await seen(pilot, "What should be different")
        await pilot.press(*"x", "tab", "enter")
        assert "OPENAI_API_KEY is not set" in await seen(pilot, "claude-sonnet-4-5")
        await pilot.press("down", "enter")
        await pilot.pause()
        await pilot.press("ctrl+s")
        await seen(pilot, "is on its way")
    (asked,) = swarm.asked
    assert isinstance(asked[2], NewTask)
    assert asked[2].agent == "claude-code"


async def test_escape_leaves_the_form_and_sends_nothing(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("n")
        await seen(pilot, "What should be different")
        await pilot.press(*"never mind", "escape")
        await seen(pilot, "needs you first")
    assert swarm.asked == []
