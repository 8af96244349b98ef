"""The form of a new task."""

from pathlib import Path

from msgspec.structs import replace

from app.domain.errors import NotFound
from app.domain.money import Micros
from app.domain.route import Option
from app.tui.model.preview import preview_lines
from app.wire import Left, NewTask, Retry
from tests.support.fleet import REPO, RecordedSwarm, app_over
from tests.support.nouns import would
from tests.support.screens import in_review, seen


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


async def test_several_agents_race_for_it_under_the_budget_of_one(swarm: RecordedSwarm) -> None:
    first = would(NewTask(goal="", repo=REPO))
    other = replace(first.routes[0], target="opencode")
    swarm.recording.preview = replace(first, routes=(*first.routes, other))
    async with app_over(swarm).run_test(notifications=True, size=(100, 30)) as pilot:
        await pilot.press("n")
        await seen(pilot, "What should be different")
        await pilot.press(*"fix it", "ctrl+r")
        await seen(pilot, "who races for it?")
        await pilot.press("ctrl+u", *"claude-code, opencode", "enter")
        screen = await seen(pilot, "goes to claude-code, opencode: 2 race")
        assert "claude-code, opencode  race for it" in screen
        assert "$2.00 at most for all together" in screen
        await pilot.press("tab", "tab", *"1.50")
        await seen(pilot, "2 agents that together may spend $1.50 at most")
        await pilot.press("ctrl+s")
        await seen(pilot, "is on its way")
    ((_verb, _run, body),) = swarm.asked
    assert isinstance(body, NewTask)
    assert (body.agent, body.agents, body.race) == ("", ("claude-code", "opencode"), True)
    assert body.budget == Micros(1_500_000)


async def test_without_names_it_is_no_race(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(100, 30)) as pilot:
        await pilot.press("n")
        await seen(pilot, "What should be different")
        await pilot.press(*"fix it", "ctrl+r")
        await seen(pilot, "claude-code")
        await pilot.press("enter")
        await seen(pilot, "race for it")
        await pilot.press("ctrl+r")
        await seen(pilot, "who races for it?")
        await pilot.press("ctrl+u", "enter")
        await seen(pilot, "as configured")
        await pilot.press("ctrl+s")
        await seen(pilot, "is on its way")
    assert swarm.asked == [("submit", "", NewTask(goal="fix it", repo=REPO, submitter="ada"))]


async def test_escape_leaves_the_form_and_sends_nothing(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("n")
        await seen(pilot, "What should be different")
        await pilot.press(*"never mind", "escape")
        await seen(pilot, "needs you first")
    assert swarm.asked == []


async def test_every_line_is_a_task_when_asked_to(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("n")
        await seen(pilot, "What should be different")
        await pilot.press(*"one", "enter", "enter", *"two", "ctrl+l")
        await seen(pilot, "one task a line: 2")
        await pilot.press("tab", "tab", "tab", *"0.50")
        await seen(pilot, "$1.00 together")
        await pilot.press("ctrl+s")
        await seen(pilot, "on their way")
    goals = [body.goal for _verb, _run, body in swarm.asked if isinstance(body, NewTask)]
    assert goals == ["one", "two"]


def test_of_several_tasks_it_says_what_all_of_them_may_cost() -> None:
    found = would(NewTask(goal="", repo=REPO))
    text = "\n".join(
        "".join(piece for piece, _ink in line) for line in preview_lines(found, 160, 3)
    )
    assert "$6.00 at most, $2.00 for each of 3 tasks" in text
    assert "goes to claude-code, the first task" in text


async def test_the_goal_comes_from_a_file(swarm: RecordedSwarm, tmp_path: Path) -> None:
    (tmp_path / "issue.txt").write_text("The board is slow\x1b]0;x\x07")
    async with app_over(swarm).run_test(notifications=True, size=(100, 30)) as pilot:
        await pilot.press("n")
        await seen(pilot, "What should be different")
        await pilot.press("ctrl+o")
        await seen(pilot, "the goal from a file")
        await pilot.press(*str(tmp_path / "issue.txt"), "enter")
        await seen(pilot, "The board is slow")
        await pilot.press("ctrl+s")
        await seen(pilot, "is on its way")
    ((_verb, _run, body),) = swarm.asked
    assert isinstance(body, NewTask)
    assert body.goal.isprintable()


async def test_a_file_that_is_not_there_is_said(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(100, 30)) as pilot:
        await pilot.press("n")
        await seen(pilot, "What should be different")
        await pilot.press("ctrl+o")
        await seen(pilot, "the goal from a file")
        await pilot.press(*"/no/such", "enter")
        await seen(pilot, "/no/such cannot be read")


async def test_it_says_who_would_get_it_and_what_that_may_cost_and_touch(
    swarm: RecordedSwarm,
) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(100, 30)) as pilot:
        await pilot.press("n")
        await seen(pilot, "What should be different")
        await pilot.press(*"fix it")
        screen = await seen(pilot, "goes to claude-code")
        assert "$2.00 at most; the day has $7.10 of $10.00 left" in screen
        assert "a copy of main in docker; network: none; 1 check; lands on main" in screen
        await pilot.press("tab", "tab", *"release")
        await seen(pilot, "a copy of release in docker")
    assert swarm.asked == []


async def test_why_it_would_be_refused_is_said_before_it_is_sent(swarm: RecordedSwarm) -> None:
    refused = "OPENAI_API_KEY is not set. Set it for the supervisor"
    swarm.recording.preview = would(NewTask(goal="", repo=REPO, agent="codex"), refused=refused)
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("n")
        await seen(pilot, "What should be different")
        await pilot.press(*"fix it")
        await seen(pilot, "✗ OPENAI_API_KEY is not set.")


def test_who_cannot_and_which_rule_chose_are_named() -> None:
    option = Option(target="codex", agent="codex", model="gpt-5", dropped="it is disabled")
    before = would(NewTask(goal="", repo=REPO))
    (route,) = before.routes
    chosen = replace(route, rule="papers (routes.yaml)", options=(option, *route.options))
    least = Left(of="the month", left=Micros(500_000), cap=Micros(10_000_000))
    found = replace(
        before, routes=(chosen,), left=(*before.left, least), notes=("a.py is not committed",)
    )
    text = "\n".join("".join(piece for piece, _ink in line) for line in preview_lines(found, 160))
    assert (
        "goes to claude-code: it is the only one named, by papers (routes.yaml); not codex: it is disabled"
        in text
    )
    assert "the month has $0.50 of $10.00 left" in text
    assert "! a.py is not committed" in text


async def test_another_agent_is_given_the_task_from_the_review(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        await pilot.press("B")
        await seen(pilot, "who goes on with k3f9m?")
        await pilot.press("enter")
        await seen(pilot, "is on its way")
    assert swarm.asked == [("retry", "k3f9m.1", Retry(agent="claude-code", by="ada"))]
