"""Whatever befalls the real agents amid their work: it ends well, costs what it may, and loses nothing."""

import pytest

from app.domain.money import parse_dollars
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal
from harnesses.events import TurnEnded
from tests.real.plans import ALL
from tests.real.stories import Troubles, all_troubles, began, boxes, calls_of
from tests.support.world import World, story

pytestmark = [
    pytest.mark.docker,
    pytest.mark.real,
    pytest.mark.asyncio(loop_scope="module"),
]
ENDS_AT_429 = ("codex", "mini-swe-agent")
"""Their turn ends at the first 429 that they hear of; the run waits for the provider."""
each_agent = pytest.mark.parametrize("agent", ALL)


@story
async def troubles(house: World, provider: Rehearsal) -> Troubles:
    """What goes wrong."""
    return await all_troubles(house, provider, ALL)


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
    troubles: Troubles, agent: str
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
    waits = agent in ENDS_AT_429
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


@each_agent
async def test_an_answer_counts_though_the_program_that_asked_is_gone(
    house: World, troubles: Troubles, agent: str
) -> None:
    detail = troubles.late[agent]
    assert detail.row.run.state == RunState.IN_REVIEW, detail.row.run.reason
    first = detail.approvals[0]
    assert (first.answer, first.turn) == ("yes", 2)
    assert await house.at(detail).file(detail.row.run.id, "note.txt") == "noted"
