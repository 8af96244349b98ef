"""The agents of the catalogue that speak the Agent Client Protocol besides opencode: real programs, in Docker."""

import json

import pytest

from app import wire
from app.domain.events import Answered
from app.domain.money import parse_dollars
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal
from harnesses.events import ToolCall, TurnEnded
from tests.real.conftest import REAL_KEY
from tests.real.hostile import HOSTILE
from tests.real.plans import MORE
from tests.real.stories import (
    CHECK,
    WORDS,
    Runs,
    Troubles,
    all_troubles,
    began,
    boxes,
    calls_of,
    prompts,
    send_back,
    side_by_side,
    to_rest,
)
from tests.support.repos import FILES
from tests.support.world import World, story

pytestmark = [
    pytest.mark.docker,
    pytest.mark.real,
    pytest.mark.asyncio(loop_scope="module"),
]
each_agent = pytest.mark.parametrize("agent", MORE)


@story
async def mended(house: World) -> Runs:
    """A task in a hostile repository; a person speaks to the agent, answers all it asks; the work is checked."""

    async def tell(agent: str) -> wire.RunDetail:
        user = house.user({**FILES, **HOSTILE}, agent=agent, approvals="cautious")
        run = await user.submit(f"Mend [[plan:{agent}-mend]]", checks=(CHECK,))
        await user.question(run)
        await user.client.tell(run, wire.Tell(text=WORDS, by="ada"))
        return await to_rest(user, run)

    return await side_by_side(MORE, tell)


@story
async def sent_back(house: World, mended: Runs) -> Runs:
    """The same runs, sent back with words: a new process goes on with the conversation."""
    return await send_back(house, mended)


@story
async def troubles(house: World, provider: Rehearsal) -> Troubles:
    """What goes wrong."""
    return await all_troubles(house, provider, MORE)


@each_agent
async def test_its_change_passes_the_check(mended: Runs, agent: str) -> None:
    assert mended[agent].row.run.state == RunState.IN_REVIEW, mended[agent].row.run.reason
    assert [check.passed for check in mended[agent].reviews[-1].checks] == [True]


@each_agent
async def test_a_person_was_asked_and_the_answers_were_heard(
    house: World, mended: Runs, agent: str
) -> None:
    events = await house.at(mended[agent]).events(mended[agent].row.run.id)
    assert [event.body for event in events if isinstance(event.body, Answered)]
    only_shell = agent == "mini-swe-agent"
    tools = {e.body.tool for e in events if isinstance(e.body, ToolCall)}
    assert {"execute"} | (set() if only_shell else {"edit"}) <= tools


@each_agent
async def test_what_a_person_says_while_it_works_is_heard(
    house: World, mended: Runs, provider: Rehearsal, agent: str
) -> None:
    # What the protocol cannot pass on into a turn begins the next one.
    in_turn = agent == "mini-swe-agent"
    begun = await prompts(house.at(mended[agent]), mended[agent].row.run.id)
    assert begun[1:] == ([] if in_turn else [WORDS])
    assert any(WORDS in json.dumps(call.body) for call in calls_of(provider, agent, "mend"))


@each_agent
async def test_its_calls_are_paid_with_the_real_key_which_it_never_has(
    house: World, mended: Runs, provider: Rehearsal, agent: str
) -> None:
    calls = calls_of(provider, agent, "mend")
    assert len(calls) >= 4
    assert all(call.authorized for call in calls)
    env = await house.at(mended[agent]).file(mended[agent].row.run.id, "seen-env.txt")
    assert REAL_KEY not in env
    assert "swarm-run-" not in env


@each_agent
async def test_the_repository_instructs_it_and_does_not_take_it_over(
    house: World, mended: Runs, provider: Rehearsal, agent: str
) -> None:
    # Qwen Code rewrites settings of an older form, although it does not heed them.
    diff = (await house.client.diff(mended[agent].row.run.id)).decode()
    assert "b/owned.txt" not in diff
    told = [
        call for call in calls_of(provider, agent, "mend") if "wagtail" in json.dumps(call.body)
    ]
    assert told


@each_agent
async def test_sent_back_it_goes_on_in_the_same_conversation(
    house: World, sent_back: Runs, provider: Rehearsal, agent: str
) -> None:
    user, run = house.at(sent_back[agent]), sent_back[agent].row.run.id
    assert await user.file(run, "more.txt") == "more"
    assert len({each.conversation for each in await began(user, run)}) == 1
    calls = calls_of(provider, agent, "again")
    assert any(f"[[plan:{agent}-mend]]" in json.dumps(call.body) for call in calls)


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
async def test_killed_it_resumes_its_conversation(
    house: World, troubles: Troubles, agent: str
) -> None:
    begun = await began(house.at(troubles.killed[agent]), troubles.killed[agent].row.run.id)
    assert len(begun) == 2
    assert len({each.conversation for each in begun}) == 1


@each_agent
async def test_stopped_it_keeps_what_it_did_and_nothing_runs_on(
    troubles: Troubles, agent: str
) -> None:
    assert troubles.killed[agent].row.run.files > 0
    assert not boxes(troubles.killed[agent].row.run.id)


@each_agent
async def test_a_model_that_falters_and_is_busy_does_not_end_the_work(
    troubles: Troubles, agent: str
) -> None:
    run = troubles.shaken[agent].row.run
    # mini-swe-agent ends its turn at the first 429 that it hears of; its run waits for the provider.
    waits = agent == "mini-swe-agent"
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
    assert len(calls_of(provider, agent, "refused")) <= 8
