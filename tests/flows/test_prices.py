"""What models cost: shown, replaced by a later list, and asked about afterwards."""

import json
from pathlib import Path

import pytest

from app import wire
from app.domain.errors import NotFound, UsageError
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal
from tests.support.scripts import edit, scripted, tokens
from tests.support.world import Settings, World, paid_at, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

LATER = [
    {
        "id": "anthropic",
        "name": "Anthropic",
        "api_pattern": "https://api\\.anthropic\\.com",
        "models": [
            {
                "id": "claude-future-9",
                "match": {"equals": "claude-future-9"},
                "prices": {"input_mtok": 2, "output_mtok": 8},
            }
        ],
    }
]
AGENTS = {"worker": scripted([edit("a.txt", "1\n"), tokens(10_000, 1_000, times=2)])}


@pytest.fixture(scope="module")
def settings(endpoint: Rehearsal) -> Settings:
    return {"gateway": paid_at(endpoint.url)}


@story
async def worked(world: World) -> wire.RunDetail:
    user = world.user()
    return await user.until(await user.submit(agent="worker"), RunState.IN_REVIEW)


async def test_the_price_of_a_model_is_told_with_its_list(world: World) -> None:
    lines = await world.client.prices("claude-sonnet-4-5")
    assert {(line.input, line.output) for line in lines} >= {(3_000_000, 15_000_000)}
    assert all(line.data.startswith("genai-prices ") for line in lines)


async def test_a_model_that_no_list_knows_is_named_with_the_way_out(world: World) -> None:
    with pytest.raises(NotFound, match="no price list knows a model like 'zorglub'") as refused:
        await world.client.prices("zorglub")
    assert "swarm prices override" in refused.value.hint


async def test_a_run_is_priced_again_with_another_model(
    world: World, worked: wire.RunDetail
) -> None:
    found = await world.client.reprice(worked.row.run.id, "claude-sonnet-4-5")
    assert (found.calls, found.spent) == (2, 2 * 20_000)
    assert found.micros == 2 * (10_000 * 3 + 1_000 * 15)


async def test_a_run_is_priced_again_at_the_rates_it_was_charged_by(
    world: World, worked: wire.RunDetail
) -> None:
    found = await world.client.reprice(worked.row.run.id, "")
    assert found.micros == found.spent == 2 * 20_000


@pytest.mark.parametrize("by", ["run", "task", "turn", "agent", "model", "known", "day", "user"])
async def test_costs_of_a_run_sum_to_what_it_spent_whatever_they_are_added_up_by(
    world: World, worked: wire.RunDetail, by: str
) -> None:
    lines = await world.client.costs(by, of=worked.row.run.id)
    assert sum(line.micros for line in lines) == worked.spend.micros
    assert all(line.key for line in lines)


async def test_costs_can_be_asked_for_days(world: World, worked: wire.RunDetail) -> None:
    (day,) = await world.client.costs("day", of=worked.row.task.id)
    assert await world.client.costs("day", of=worked.row.task.id, since=day.key, until=day.key)
    assert not await world.client.costs("day", until="2020-01-01")
    with pytest.raises(UsageError, match="'yesterday' is not a day"):
        await world.client.costs("day", since="yesterday")


async def test_the_board_knows_what_everybody_spent_today(
    world: World, worked: wire.RunDetail
) -> None:
    purse = (await world.client.board("")).purse
    assert purse.today >= worked.spend.micros
    assert sum(micros for _at, micros in purse.lately) >= worked.spend.micros


async def test_a_person_may_say_what_a_model_costs_and_take_it_back(world: World) -> None:
    body = wire.PriceOverride(model="zorglub-7b", input=500_000, output=2_000_000, by="ada")
    (set_,) = await world.client.override_price(body)
    assert (set_.input, set_.output, set_.cache_read, set_.data) == (
        500_000,
        2_000_000,
        500_000,
        "own",
    )
    assert await world.client.prices("zorglub") == (set_,)
    await world.client.override_price(wire.PriceOverride(model="zorglub-7b", by="ada"))
    with pytest.raises(NotFound):
        await world.client.prices("zorglub")
    told = [row.what for row in await world.client.audit() if row.what.startswith("price ")]
    assert sorted(told) == ["price set", "price unset"]


async def test_the_configuration_stands_before_a_price_that_is_set(world: World) -> None:
    with pytest.raises(UsageError, match=r"gateway\.prices in your configuration"):
        await world.client.override_price(wire.PriceOverride(model="scripted", input=1, output=1))


async def test_what_is_no_price_list_is_refused_and_changes_nothing(world: World) -> None:
    with pytest.raises(UsageError, match="this is no price list"):
        await world.client.replace_prices(wire.PriceFile(text="{}", install=True))
    assert await world.client.prices("claude-sonnet-4-5")


async def test_a_list_can_be_compared_before_it_is_installed(world: World) -> None:
    changes = await world.client.replace_prices(wire.PriceFile(text=json.dumps(LATER)))
    told = {(each.model, each.before is None, each.after is None) for each in changes}
    assert ("claude-future-9", True, False) in told
    with pytest.raises(NotFound):
        await world.client.prices("claude-future-9")


async def test_an_installed_list_holds_is_kept_and_stands_in_the_audit(
    world: World, worked: wire.RunDetail
) -> None:
    await world.client.replace_prices(
        wire.PriceFile(text=json.dumps(LATER), install=True, by="ada")
    )
    (line,) = await world.client.prices("claude-future-9")
    assert (line.input, line.output) == (2_000_000, 8_000_000)
    kept = list(Path(world.home.state, "prices").glob("prices *.json"))
    assert [file.stem for file in kept] == [line.data]
    assert [row.actor for row in await world.client.audit() if row.what == "prices replaced"] == [
        "ada"
    ]
    assert (await world.client.detail(worked.row.run.id)).spend.micros == 2 * 20_000
