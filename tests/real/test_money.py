"""The real agents at their limit: kept waiting in the middle of a call, they go on; told no, they end."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec
import pytest
import pytest_asyncio

from app import wire
from app.domain.events import TurnStarted
from app.domain.money import parse_dollars
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal
from app.supervisor import money
from tests.real.conftest import house_at
from tests.real.plans import AGENTS
from tests.support.world import World, story

pytestmark = [
    pytest.mark.docker,
    pytest.mark.real,
    pytest.mark.asyncio(loop_scope="module"),
]
PAUSE = 1.0
"""Seconds between two signs of life."""
each_agent = pytest.mark.parametrize("agent", AGENTS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    provider: Rehearsal, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """A world that asks at a limit; agents get signs of life soon, so that no test waits long for one."""
    configured = money.gateway_settings
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            money,
            "gateway_settings",
            lambda c: msgspec.structs.replace(configured(c), alive=PAUSE),
        )
        root = tmp_path_factory.mktemp("parking")
        async with house_at(root, provider, budget={"run": "5.00", "on_limit": "park"}) as world:
            yield world


@dataclass(frozen=True)
class Parked:
    """A run that was given more once, and refused the second time."""

    first: wire.RunDetail
    second: wire.RunDetail
    end: wire.RunDetail


@story
async def parked(house: World) -> dict[str, Parked]:
    async def tell(agent: str) -> Parked:
        user = house.user()
        goal = f"Write a book [[plan:{agent}-endless]]"
        run = await user.submit(goal, agent=agent, budget="0.60")
        first = await user.until(run, RunState.WAITING)
        question = first.row.question
        assert question
        # Long enough for several signs of life in the middle of the call.
        await asyncio.sleep(4 * PAUSE)
        more = wire.Answer(yes=True, amount=parse_dollars("0.25"), by="ada")
        await house.client.answer(question.id, more)
        second = await user.until(run, RunState.WAITING)
        while (again := second.row.question) is None or again.id == question.id:
            await asyncio.sleep(0.1)
            second = await user.until(run, RunState.WAITING)
        await asyncio.sleep(4 * PAUSE)
        await user.answer(again, yes=False)
        return Parked(first, second, await user.until(run, RunState.PARKED))

    return dict(zip(AGENTS, await asyncio.gather(*map(tell, AGENTS)), strict=True))


@each_agent
async def test_a_raise_lets_the_same_call_go_on(
    house: World, parked: dict[str, Parked], agent: str
) -> None:
    story = parked[agent]
    assert story.second.spend.calls > story.first.spend.calls
    assert story.second.spend.refused == 0
    events = await house.at(story.end).events(story.end.row.run.id)
    assert len([event for event in events if isinstance(event.body, TurnStarted)]) == 1


@each_agent
async def test_after_a_no_it_asks_at_most_twice_more_and_nothing_is_lost(
    parked: dict[str, Parked], agent: str
) -> None:
    end = parked[agent].end
    assert 1 <= end.spend.refused <= 3
    assert end.spend.micros <= end.row.run.budget
    assert end.row.run.files > 0
