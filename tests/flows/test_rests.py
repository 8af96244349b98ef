"""A provider that asks to wait for long: the run parks with the time, and goes on by itself."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app import wire
from app.domain.run import RunState
from tests.support.model_endpoint import http
from tests.support.patience import PATIENCE
from tests.support.providers import GOOD, provider
from tests.support.scripts import edit, scripted, tokens
from tests.support.world import Settings, World, paid_at, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

LATE = http("429 Too Many Requests", b"{}", content_type="application/json", retry_after="3")
AGENTS = {
    "worker": scripted(
        [edit("first.txt", "1\n"), tokens(5, 9)], [tokens(5, 9), edit("second.txt", "2\n")]
    )
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address() -> AsyncIterator[str]:
    async with provider(LATE, GOOD) as (url, _):
        yield url


@pytest.fixture(scope="module")
def settings(address: str) -> Settings:
    return {"gateway": {"park_after": "1s", **paid_at(address)}}


@story
async def rested(world: World) -> tuple[wire.RunDetail, wire.RunDetail]:
    """The run as it parked, and as it went on without anybody."""
    user = world.user()
    run = await user.submit(agent="worker")
    parked = await user.until(run, RunState.PARKED)
    async with asyncio.timeout(PATIENCE):
        while (await world.client.detail(run)).row.run.round == 1:
            await asyncio.sleep(0.1)
    return parked, await user.until(run, RunState.IN_REVIEW)


async def test_the_run_says_until_when_it_waits(
    rested: tuple[wire.RunDetail, wire.RunDetail],
) -> None:
    assert rested[0].row.run.reason.startswith("the model API 'anthropic' asks to wait until")
    assert rested[0].spend.micros == 0


async def test_it_goes_on_by_itself_and_finishes(
    world: World, rested: tuple[wire.RunDetail, wire.RunDetail]
) -> None:
    run = rested[1].row.run
    assert run.round == 2
    assert await world.at(rested[1]).file(run.id, "first.txt") == "1"
    assert await world.at(rested[1]).file(run.id, "second.txt") == "2"
