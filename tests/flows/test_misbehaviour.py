"""Agents that fail, crash, say nothing, change nothing or print garbage: the state and its reason are right."""

import pytest

from app.domain.events import TurnStarted
from app.domain.run import RunState
from harnesses.events import Unreadable
from tests.support.scripts import Step, edit, scripted
from tests.support.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILE = edit("work.txt", "half\n")
ESCAPES = "\x1b[2J\x1b]0;owned\x07"
GARBAGE: list[Step] = [
    {"raw": "this is no event"},
    {"raw": '{"type": "no such event"}'},
    {"raw": {"line": "[", "times": 50_000}},
    {"raw": {"line": "x", "times": 2_000_000}},
    {"raw": ESCAPES},
    {"raw": '{"type": "turn_ended", "reason": "what?"}'},
]
AGENTS = {
    "failing": scripted([FILE, {"fail": "the model said no"}]),
    "empty-handed": scripted([{"fail": "no ideas"}]),
    "crashing": scripted([FILE, {"crash": 3}]),
    "killed": scripted([FILE, {"crash": {"signal": "KILL"}}], [edit("more.txt", "{{prompt}}\n")]),
    "mortal": scripted([FILE, {"crash": {"signal": "SEGV"}}]),
    "idle": scripted([{"say": "All is well."}]),
    "reverting": scripted([edit("README.md", "# Project\n")]),
    "garbling": scripted([*GARBAGE, FILE]),
    "liar": scripted([FILE, {"raw": '{"type":"turn_ended","reason":"end_turn"}'}, {"crash": 9}]),
    "littering": scripted([FILE, {"run": "rm -rf .git; echo gone > README.md"}]),
}


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        (
            "failing",
            "the agent ended with an error; what it changed is kept on its branch: the model said no",
        ),
        ("empty-handed", "the agent ended with an error; nothing was changed: no ideas"),
        ("crashing", "the agent ended with an error; what it changed is kept on its branch"),
        ("idle", "the agent ended its turn without changing any file"),
        ("reverting", "the agent ended its turn without changing any file"),
    ],
)
async def test_a_run_that_came_to_nothing_says_why(world: World, agent: str, reason: str) -> None:
    user = world.user()
    run = await user.submit(agent=agent)
    shown = await user.until(run, RunState.FAILED)
    assert shown.row.run.reason == reason


async def test_what_a_failed_agent_has_done_is_on_its_branch(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="crashing")
    await user.until(run, RunState.FAILED)
    assert await user.file(run, "work.txt") == "half"
    evidence = (await world.client.why(run)).words
    assert any(line.startswith("turn 1 ended: exited with 3") for line in evidence)


async def test_an_agent_that_was_killed_gets_another_turn(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="killed")
    await user.until(run, RunState.IN_REVIEW)
    assert await user.file(run, "work.txt") == "half"
    assert (await user.file(run, "more.txt")).startswith("Your program was stopped from outside")


async def test_an_agent_that_dies_each_time_uses_up_its_turns(world: World) -> None:
    user = world.user(max_turns=2)
    run = await user.submit(agent="mortal")
    shown = await user.until(run, RunState.FAILED)
    assert "the agent's program was lost, and all 2 turns are used" in shown.row.run.reason
    begun = [e for e in await user.events(run) if isinstance(e.body, TurnStarted)]
    assert len(begun) == 2


async def test_garbage_is_kept_as_unreadable_and_the_work_goes_on(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="garbling")
    await user.until(run, RunState.IN_REVIEW)
    unreadable = [e.body for e in await user.events(run) if isinstance(e.body, Unreadable)]
    assert len(unreadable) == len(GARBAGE)
    assert max(len(each.line) for each in unreadable) < 10_000
    assert await user.file(run, "work.txt") == "half"


async def test_an_agent_that_calls_itself_done_is_taken_at_its_word_for_the_turn_only(
    world: World,
) -> None:
    user = world.user(max_turns=1)
    run = await user.submit(agent="liar", checks=("test -e not-there",))
    shown = await user.until(run, RunState.IN_REVIEW)
    assert [check.passed for check in shown.reviews[-1].checks] == [False]


async def test_an_agent_that_deletes_its_git_directory_can_still_be_reviewed(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="littering")
    await user.until(run, RunState.IN_REVIEW)
    assert await user.file(run, "README.md") == "gone"
