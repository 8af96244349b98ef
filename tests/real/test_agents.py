"""The real agents do their work in Docker through the gateway, each with its own tools, over its own protocol."""

import asyncio
import json
from subprocess import CompletedProcess

import pytest

from app import wire
from app.domain.events import Answered
from app.domain.money import parse_dollars
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal, Seen
from app.gateway.rehearsal_script import Script, Turn
from harnesses.events import MessageTaken, ToolCall, TurnEnded
from tests.real.conftest import REAL_KEY
from tests.real.hostile import HOSTILE
from tests.real.plans import AGENTS, PLANS, USAGE, writes
from tests.real.stories import (
    CHECK,
    WORDS,
    Troubles,
    all_troubles,
    answered_late,
    began,
    boxes,
    prompts,
    send_back,
    side_by_side,
    to_rest,
)
from tests.support.alone import calls_home
from tests.support.attacks import attack
from tests.support.patience import PATIENCE
from tests.support.repos import FILES
from tests.support.world import World, story

pytestmark = [
    pytest.mark.docker,
    pytest.mark.real,
    pytest.mark.asyncio(loop_scope="module"),
]
GOAL = "Make add() add [[plan:mend]]"
PATHS = {
    "claude-code": "/v1/messages",
    "codex": "/v1/responses",
    "opencode": "/v1/chat/completions",
}
"""Where each agent's model is served."""
MAKERS = {
    "claude-code": {"api.anthropic.com"},
    "codex": {"ab.chatgpt.com", "chatgpt.com", "api.github.com"},
    "opencode": {"models.opencode.ai", "models.dev", "registry.npmjs.org"},
}
"""Where each program reports, looks for updates or loads what it likes, unless it is kept from it."""


@story
async def mended(house: World) -> dict[str, wire.RunDetail]:
    """The same task in the same hostile repository, but for the line of its configuration that names the agent.

    A person speaks to the agent while it works and answers every question; the work is checked. One host may be
    reached, so that whatever the program asks for is written down.
    """

    async def tell(agent: str) -> wire.RunDetail:
        user = house.user({**FILES, **HOSTILE}, agent=agent, approvals="cautious")
        run = await user.submit(GOAL, checks=(CHECK,), allow_network=("pypi.org",))
        await user.question(run)
        await user.client.tell(run, wire.Tell(text=WORDS, by="ada"))
        return await to_rest(user, run)

    return await side_by_side(AGENTS, tell)


@story
async def sent_back(house: World, mended: dict[str, wire.RunDetail]) -> dict[str, wire.RunDetail]:
    """The same runs, sent back with words and done again."""
    return await send_back(house, mended)


@story
async def troubles(house: World, provider: Rehearsal) -> Troubles:
    """What goes wrong."""
    return await all_troubles(house, provider, AGENTS)


@story
async def late(house: World) -> dict[str, wire.RunDetail]:
    """A person answers a question whose asker was killed."""
    return await answered_late(house, AGENTS)


@story
async def self_tested(house: World, provider: Rehearsal) -> CompletedProcess[str]:
    """A person has one of them tried, with a task that names no plan."""
    use = (writes("claude-code", "self-test.txt", "hello"),)
    plan = (Turn(say="I write.", use=use, usage=USAGE), Turn(say="It is there.", usage=USAGE))
    provider.script = Script(plans={**PLANS, "default": plan})
    line = ("agents", "test", "claude-code", "--seconds", str(int(PATIENCE)), "--json")
    try:
        return await asyncio.to_thread(house.home.swarm, *line, cwd=house.home.root)
    finally:
        provider.script = Script(plans=PLANS)


each_agent = pytest.mark.parametrize("agent", AGENTS)


@each_agent
async def test_its_change_passes_the_check_and_waits_for_a_person(
    house: World, mended: dict[str, wire.RunDetail], agent: str
) -> None:
    detail = mended[agent]
    assert detail.row.run.state == RunState.IN_REVIEW, detail.row.run.reason
    assert [check.passed for check in detail.reviews[-1].checks] == [True]
    assert "return a + b" in await house.at(detail).file(detail.row.run.id, "src/app.py")


@each_agent
async def test_a_person_answered_its_questions(
    house: World, mended: dict[str, wire.RunDetail], agent: str
) -> None:
    asked = [approval.action for approval in mended[agent].approvals]
    assert "edit" in asked
    assert "execute" in asked
    events = await house.at(mended[agent]).events(mended[agent].row.run.id)
    assert all(event.body.by for event in events if isinstance(event.body, Answered))


@each_agent
async def test_a_persons_words_reach_it_while_it_works_or_begin_its_next_turn(
    house: World, mended: dict[str, wire.RunDetail], provider: Rehearsal, agent: str
) -> None:
    user, run = house.at(mended[agent]), mended[agent].row.run.id
    taken = [e for e in await user.events(run) if isinstance(e.body, MessageTaken)]
    begun = await prompts(user, run)
    assert len(taken) == (agent != "opencode")
    assert begun[1:] == ([WORDS] if agent == "opencode" else [])
    assert any(WORDS in json.dumps(call.body) for call in calls_of(provider, agent, GOAL))


@each_agent
async def test_its_own_shell_ran_and_saw_no_key(
    house: World, mended: dict[str, wire.RunDetail], agent: str
) -> None:
    detail = mended[agent]
    env = await house.at(detail).file(detail.row.run.id, "seen-env.txt")
    assert "PATH=" in env
    assert REAL_KEY not in env
    assert "swarm-run-" not in env


@attack("N10")
@each_agent
async def test_all_the_keys_in_its_box_are_its_runs(
    house: World, mended: dict[str, wire.RunDetail], agent: str
) -> None:
    detail = mended[agent]
    found = await house.at(detail).file(detail.row.run.id, "found.txt")
    of_the_run, real, in_files = (int(count) for count in found.split())
    assert of_the_run > 0
    assert (real, in_files) == (0, 0)


@attack("N12")
@each_agent
async def test_on_its_own_it_calls_home_and_in_its_box_it_calls_its_model_only(
    house: World, mended: dict[str, wire.RunDetail], provider: Rehearsal, agent: str
) -> None:
    assert await calls_home(agent) in MAKERS[agent]
    user, run = house.at(mended[agent]), mended[agent].row.run.id
    assert "HTTPS_PROXY=http" in await user.file(run, "seen-env.txt")
    assert (await user.client.network(run)).rows == ()
    assert {seen.path.partition("?")[0] for seen in provider.requests} <= set(PATHS.values())


@each_agent
async def test_every_model_call_came_through_the_gateway_and_was_paid(
    mended: dict[str, wire.RunDetail], provider: Rehearsal, agent: str
) -> None:
    calls = calls_of(provider, agent, GOAL)
    assert len(calls) >= 4
    assert all(call.authorized for call in calls)
    assert mended[agent].spend.calls >= 4


@each_agent
async def test_the_repository_does_not_take_it_over(
    house: World, mended: dict[str, wire.RunDetail], agent: str
) -> None:
    user, run = house.at(mended[agent]), mended[agent].row.run.id
    assert "owned.txt" not in (await user.client.diff(run)).decode()


@each_agent
async def test_it_is_told_what_the_repository_says_to_agents(
    mended: dict[str, wire.RunDetail], provider: Rehearsal, agent: str
) -> None:
    calls = calls_of(provider, agent, GOAL)
    assert any("wagtail" in json.dumps(call.body) for call in calls)


@each_agent
async def test_sent_back_it_goes_on_in_the_same_conversation(
    house: World, sent_back: dict[str, wire.RunDetail], provider: Rehearsal, agent: str
) -> None:
    detail = sent_back[agent]
    user, run = house.at(detail), detail.row.run.id
    assert await user.file(run, "more.txt") == "more"
    assert len({each.conversation for each in await began(user, run)}) == 1
    calls = calls_of(provider, agent, f"[[plan:{agent}-again]]")
    assert any("Make add() add" in json.dumps(call.body) for call in calls)


@each_agent
async def test_killed_it_resumes_its_conversation(
    house: World, troubles: Troubles, agent: str
) -> None:
    user, run = house.at(troubles.killed[agent]), troubles.killed[agent].row.run.id
    begun = await began(user, run)
    assert len(begun) == 2
    assert len({each.conversation for each in begun}) == 1


@each_agent
async def test_stopped_it_keeps_what_it_did_and_nothing_runs_on(
    house: World, troubles: Troubles, agent: str
) -> None:
    detail = troubles.killed[agent]
    assert detail.row.run.files > 0
    assert not boxes(detail.row.run.id)


@each_agent
async def test_the_budget_stops_it_at_once_and_loses_nothing(
    troubles: Troubles, agent: str
) -> None:
    detail = troubles.broke[agent]
    assert detail.row.run.state == RunState.PARKED, detail.row.run.reason
    assert 1 <= detail.spend.refused <= 2
    assert detail.spend.micros <= parse_dollars("0.90")
    assert detail.row.run.files > 0


@each_agent
async def test_a_model_that_falters_and_is_busy_does_not_end_the_work(
    troubles: Troubles, agent: str
) -> None:
    run = troubles.shaken[agent].row.run
    # Codex ends its turn at the first 429 that it hears of; its run waits for the provider.
    waits = agent == "codex"
    assert run.state == (RunState.PARKED if waits else RunState.IN_REVIEW), run.reason
    assert run.files == 3


@each_agent
async def test_a_model_that_refuses_ends_the_turn_with_words_and_few_calls(
    house: World, troubles: Troubles, provider: Rehearsal, agent: str
) -> None:
    detail = troubles.refused[agent]
    events = await house.at(detail).events(detail.row.run.id)
    ends = [event.body for event in events if isinstance(event.body, TurnEnded)]
    assert ends[-1].reason == "error"
    assert ends[-1].error
    assert len(calls_of(provider, agent, f"[[plan:{agent}-refused]]")) <= 8


@each_agent
async def test_its_tools_are_told_in_the_words_of_every_agent(
    house: World, mended: dict[str, wire.RunDetail], agent: str
) -> None:
    events = await house.at(mended[agent]).events(mended[agent].row.run.id)
    kinds = [event.body.tool for event in events if isinstance(event.body, ToolCall)]
    assert {"edit", "execute"} <= set(kinds)
    assert any("src/app.py" in approval.paths for approval in mended[agent].approvals)


@each_agent
async def test_an_answer_counts_though_the_program_that_asked_is_gone(
    house: World, late: dict[str, wire.RunDetail], agent: str
) -> None:
    detail = late[agent]
    assert detail.row.run.state == RunState.IN_REVIEW, detail.row.run.reason
    first = detail.approvals[0]
    assert (first.answer, first.turn) == ("yes", 2)
    assert await house.at(detail).file(detail.row.run.id, "note.txt") == "noted"


async def test_a_self_test_says_that_it_works_and_what_it_used(
    self_tested: CompletedProcess[str],
) -> None:
    trial = json.loads(self_tested.stdout)
    assert self_tested.returncode == 0, trial
    assert [step["name"] for step in trial["steps"] if step["ok"]] == [
        *("ready", "sandbox", "start", "model", "usage", "edit", "end")
    ]
    assert trial["calls"] >= 2


def calls_of(provider: Rehearsal, agent: str, text: str) -> list[Seen]:
    """The agent's calls whose conversation has that text."""
    calls = [call for call in provider.calls if call.path.startswith(PATHS[agent])]
    return [call for call in calls if text in json.dumps(call.body)]
