"""Several agents on one task at the same time: one budget, one winner, nothing of the others is lost."""

import asyncio

import pytest

from app import wire
from app.domain.errors import UsageError
from app.domain.money import Micros
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal
from tests.support.actions import USER
from tests.support.scripts import edit, scripted, tokens
from tests.support.world import Settings, World, paid_at, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALL = 20_000
"""Micro-dollars of one model call: at $1 and $10 a million."""
AGENTS = {
    "quick": scripted([edit("a.txt", "quick\n"), tokens(10_000, 1_000)]),
    "slow": scripted([edit("a.txt", "slow\n"), tokens(10_000, 1_000)]),
    "sleepy": scripted([edit("a.txt", "sleepy\n"), {"sleep": 600}]),
    "greedy": scripted([edit("a.txt", "x\n"), tokens(10_000, 1_000, times=50)]),
    "hungry": scripted([edit("a.txt", "y\n"), tokens(10_000, 1_000, times=50)]),
}


@pytest.fixture(scope="module")
def settings(endpoint: Rehearsal) -> Settings:
    return {
        "budget": {"on_limit": "stop"},
        "gateway": paid_at(endpoint.url),
    }


async def raced(world: World, *agents: str, budget: int = 5_000_000) -> wire.RunRow:
    user = world.user({"a.txt": "old\n"})
    new = wire.NewTask(
        goal="Make it better", repo=str(user.repo), agents=agents, race=True,
        budget=Micros(budget), submitter=USER,
    )  # fmt: skip
    return await world.client.submit(new)


@story
async def won(world: World) -> wire.RunDetail:
    """Two are done, a third is at work, and the second is approved."""
    row = await raced(world, "quick", "slow", "sleepy")
    detail = await world.client.detail(row.run.id)
    user = world.at(detail)
    for run in detail.runs[:2]:
        await user.until(run.id, RunState.IN_REVIEW)
    await user.wrote(detail.runs[2].id, "a.txt")
    board = await world.client.board(detail.row.task.repo)
    assert len(board.rows) == 3
    await user.approve(detail.runs[1].id)
    for run in (detail.runs[0], detail.runs[2]):
        while (await world.client.detail(run.id)).row.run.state != RunState.DISCARDED:
            await asyncio.sleep(0.1)
    return await world.client.detail(detail.runs[1].id)


async def test_each_has_a_run_of_its_own(won: wire.RunDetail) -> None:
    assert [run.agent for run in won.runs] == ["quick", "slow", "sleepy"]
    assert len({run.branch for run in won.runs}) == 3


async def test_the_winner_lands_and_the_others_lie_in_the_trash(
    world: World, won: wire.RunDetail
) -> None:
    assert [run.state for run in won.runs] == ["discarded", "merged", "discarded"]
    assert won.runs[0].reason == f"{won.row.run.id}, by slow, has won the race"
    thrown = {row.run.id for row in await world.client.trash()}
    assert {won.runs[0].id, won.runs[2].id} <= thrown


async def test_a_loser_can_be_brought_back(world: World, won: wire.RunDetail) -> None:
    user = world.at(won)
    await user.settled(won.runs[0].id)
    await user.restore(won.runs[0].id)
    assert await user.file(won.runs[0].id, "a.txt") == "quick"


async def test_all_of_them_together_spend_no_more_than_one_budget(
    world: World, endpoint: Rehearsal
) -> None:
    before = len(endpoint.calls)
    row = await raced(world, "greedy", "hungry", budget=15 * CALL)
    user = world.at(await world.client.detail(row.run.id))
    runs = (await world.client.detail(row.run.id)).runs
    for run in runs:
        await user.until(run.id, RunState.PARKED, RunState.IN_REVIEW)
    spent = sum(run.spent for run in (await world.client.detail(row.run.id)).runs)
    assert CALL < spent <= 15 * CALL
    assert len(endpoint.calls) - before == spent // CALL


async def test_a_race_of_one_is_none(world: World) -> None:
    with pytest.raises(UsageError, match="a race needs at least two agents"):
        await raced(world, "quick")
