"""The real agents do their work in Docker through the gateway, each with its own tools, over its own protocol."""

import asyncio
import json
from subprocess import CompletedProcess

import pytest

from app import wire
from app.domain.events import Answered
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal, Seen
from app.gateway.rehearsal_script import Script, Turn
from harnesses.events import MessageTaken, ToolCall
from tests.real.conftest import REAL_KEY
from tests.real.hostile import HOSTILE
from tests.real.plans import AGENTS, ALL, PLANS, USAGE, task_of, writes
from tests.real.stories import (
    CHECK,
    WORDS,
    Runs,
    began,
    calls_of,
    prompts,
    says,
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
PATHS = {
    "claude-code": "/v1/messages",
    "codex": "/v1/responses",
    "opencode": "/v1/chat/completions",
}
"""Where the model of those is served that are given the same task to the letter."""
MAKERS = {
    "claude-code": {"api.anthropic.com"},
    "codex": {"ab.chatgpt.com", "chatgpt.com", "api.github.com"},
    "opencode": {"models.opencode.ai", "models.dev", "registry.npmjs.org"},
}
"""Where each program reports, looks for updates or loads what it likes, unless it is kept from it."""
LISTENS = ("claude-code", "codex", "mini-swe-agent")
"""What is said to them comes into the turn; the protocol of the others cannot pass it on before the next one."""
ONLY_A_SHELL = ("mini-swe-agent",)
"""They have no tool of their own to edit with."""


@story
async def mended(house: World) -> Runs:
    """The same task in the same hostile repository, but for the line of its configuration that names the agent.

    A person speaks to the agent while it works and answers every question; the work is checked. One host may be
    reached, so that whatever the program asks for is written down.
    """

    async def tell(agent: str) -> wire.RunDetail:
        user = house.user({**FILES, **HOSTILE}, agent=agent, approvals="cautious")
        run = await user.submit(task_of(agent), checks=(CHECK,), allow_network=("pypi.org",))
        await user.question(run)
        await user.client.tell(run, wire.Tell(text=WORDS, by="ada"))
        return await to_rest(user, run)

    return await side_by_side(ALL, tell)


@story
async def sent_back(house: World, mended: Runs) -> Runs:
    """The same runs, sent back with words and done again."""
    return await send_back(house, mended)


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


each_agent = pytest.mark.parametrize("agent", ALL)


@each_agent
async def test_its_change_passes_the_check_and_waits_for_a_person(
    house: World, mended: Runs, agent: str
) -> None:
    detail = mended[agent]
    assert detail.row.run.state == RunState.IN_REVIEW, detail.row.run.reason
    assert [check.passed for check in detail.reviews[-1].checks] == [True]
    assert "return a + b" in await house.at(detail).file(detail.row.run.id, "src/app.py")


@each_agent
async def test_a_person_answered_its_questions(house: World, mended: Runs, agent: str) -> None:
    asked = {approval.action for approval in mended[agent].approvals}
    assert asked >= tools_of(agent)
    events = await house.at(mended[agent]).events(mended[agent].row.run.id)
    answered = [event.body for event in events if isinstance(event.body, Answered)]
    assert answered
    assert all(answer.by for answer in answered)


@each_agent
async def test_a_persons_words_reach_it_while_it_works_or_begin_its_next_turn(
    house: World, mended: Runs, provider: Rehearsal, agent: str
) -> None:
    user, run = house.at(mended[agent]), mended[agent].row.run.id
    taken = [e for e in await user.events(run) if isinstance(e.body, MessageTaken)]
    begun = await prompts(user, run)
    assert len(taken) == (agent in LISTENS)
    assert begun[1:] == ([] if agent in LISTENS else [WORDS])
    assert any(says(call, WORDS) for call in mending(provider, agent))


@each_agent
async def test_its_own_shell_ran_and_saw_no_key(house: World, mended: Runs, agent: str) -> None:
    detail = mended[agent]
    env = await house.at(detail).file(detail.row.run.id, "seen-env.txt")
    assert "PATH=" in env
    assert REAL_KEY not in env
    assert "swarm-run-" not in env


@attack("N10")
@each_agent
async def test_all_the_keys_in_its_box_are_its_runs(house: World, mended: Runs, agent: str) -> None:
    detail = mended[agent]
    found = await house.at(detail).file(detail.row.run.id, "found.txt")
    of_the_run, real, in_files = (int(count) for count in found.split())
    assert of_the_run > 0
    assert (real, in_files) == (0, 0)


@attack("N12")
@pytest.mark.parametrize("agent", AGENTS)
async def test_on_its_own_it_calls_home(agent: str) -> None:
    assert await calls_home(agent) in MAKERS[agent]


@attack("N12")
@each_agent
async def test_in_its_box_it_calls_its_model_only(
    house: World, mended: Runs, provider: Rehearsal, agent: str
) -> None:
    user, run = house.at(mended[agent]), mended[agent].row.run.id
    assert "HTTPS_PROXY=http" in await user.file(run, "seen-env.txt")
    assert (await user.client.network(run)).rows == ()
    assert len(provider.requests) == len(provider.calls)


@each_agent
async def test_every_model_call_came_through_the_gateway_and_was_paid(
    mended: Runs, provider: Rehearsal, agent: str
) -> None:
    calls = mending(provider, agent)
    assert len(calls) >= 4
    assert all(call.authorized for call in calls)
    assert mended[agent].spend.calls >= 4


@each_agent
async def test_the_repository_does_not_take_it_over(house: World, mended: Runs, agent: str) -> None:
    # Qwen Code rewrites settings of an older form, which name the file, although it does not heed them.
    diff = (await house.client.diff(mended[agent].row.run.id)).decode()
    assert "b/owned.txt" not in diff


@each_agent
async def test_it_is_told_what_the_repository_says_to_agents(
    mended: Runs, provider: Rehearsal, agent: str
) -> None:
    assert mended[agent].row.run.files > 0
    assert any(says(call, "wagtail") for call in mending(provider, agent))


@each_agent
async def test_its_tools_are_told_in_the_words_of_every_agent(
    house: World, mended: Runs, agent: str
) -> None:
    events = await house.at(mended[agent]).events(mended[agent].row.run.id)
    assert {e.body.tool for e in events if isinstance(e.body, ToolCall)} >= tools_of(agent)
    if agent not in ONLY_A_SHELL:
        assert any("src/app.py" in approval.paths for approval in mended[agent].approvals)


@each_agent
async def test_sent_back_it_goes_on_in_the_same_conversation(
    house: World, sent_back: Runs, provider: Rehearsal, agent: str
) -> None:
    detail = sent_back[agent]
    user, run = house.at(detail), detail.row.run.id
    assert await user.file(run, "more.txt") == "more"
    assert len({each.conversation for each in await began(user, run)}) == 1
    assert any(says(call, "Make add() add") for call in calls_of(provider, agent, "again"))


async def test_a_self_test_says_that_it_works_and_what_it_used(
    self_tested: CompletedProcess[str],
) -> None:
    trial = json.loads(self_tested.stdout)
    assert self_tested.returncode == 0, trial
    assert [step["name"] for step in trial["steps"] if step["ok"]] == [
        *("ready", "sandbox", "start", "model", "usage", "edit", "end")
    ]
    assert trial["calls"] >= 2


def tools_of(agent: str) -> set[str]:
    """What it does in the task, in the words of every agent."""
    return {"execute"} if agent in ONLY_A_SHELL else {"edit", "execute"}


def mending(provider: Rehearsal, agent: str) -> list[Seen]:
    """The calls that the agent made for its task."""
    calls = [call for call in provider.calls if call.path.startswith(PATHS.get(agent, "/"))]
    return [call for call in calls if says(call, task_of(agent))]
