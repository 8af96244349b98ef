"""A budget is a budget: what the model endpoint bills never exceeds it, and nothing done is lost."""

from dataclasses import dataclass

import pytest

from app import wire
from app.domain.errors import NotNow
from app.domain.events import Refused, Spent
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal
from tests.support.scripts import edit, scripted, tokens
from tests.support.world import INPUT_RATE, OUTPUT_RATE, Settings, World, paid_at, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

"""Dollars per million tokens of the model `scripted`, so micro-dollars per token."""
CALL = 10_000 * INPUT_RATE + 1_000 * OUTPUT_RATE
"""Micro-dollars of one call of the spender: two cents."""
AGENTS = {
    "spender": scripted(
        [edit("first.txt", "1\n"), tokens(10_000, 1_000, times=3), edit("second.txt", "2\n")],
        [tokens(10_000, 1_000), edit("second.txt", "2\n")],
    ),
    "claimant": scripted(
        [edit("a.txt", "a\n"), {"usage": {"input": 10**9, "output": 10**9, "cost_micros": 10**9}}]
    ),
}


@pytest.fixture(scope="module")
def settings(endpoint: Rehearsal) -> Settings:
    return {
        "budget": {"on_limit": "stop"},
        "gateway": paid_at(endpoint.url),
    }


@dataclass(frozen=True)
class Spending:
    """A run that hit its budget of five cents and was given more."""

    parked: wire.RunDetail
    why: wire.Why
    billed_when_parked: int
    reviewed: wire.RunDetail


def billed(endpoint: Rehearsal) -> int:
    """Micro-dollars the provider charges for all it has answered."""
    known = [call.billed for call in endpoint.calls if call.billed]
    return sum(each.input * INPUT_RATE + each.output * OUTPUT_RATE for each in known)


@story
async def spending(world: World, endpoint: Rehearsal) -> Spending:
    user = world.user()
    run = await user.submit(agent="spender", budget="0.05")
    parked = await user.until(run, RunState.PARKED)
    so_far = billed(endpoint)
    why = await world.client.why(run)
    with pytest.raises(
        NotNow, match=r"needs more than its budget to go on: \$0.04 of \$0.05 is spent"
    ):
        await user.resume(run)
    await user.resume(run, budget="0.10")
    reviewed = await user.until(run, RunState.IN_REVIEW)
    return Spending(parked, why, so_far, reviewed)


async def test_a_spent_budget_parks_the_run_and_says_so(spending: Spending) -> None:
    assert spending.parked.row.run.reason == (
        "the budget of this run is used up: $0.01 is left, the next call may cost $0.03"
    )


async def test_what_was_done_before_the_end_of_the_money_is_on_the_branch(
    spending: Spending,
) -> None:
    assert spending.parked.row.run.files == 1


async def test_no_more_was_spent_than_the_budget(spending: Spending) -> None:
    assert spending.parked.spend.micros == 2 * CALL
    assert spending.parked.spend.micros <= spending.parked.row.run.budget


async def test_the_ledger_says_what_the_provider_bills(
    spending: Spending, endpoint: Rehearsal
) -> None:
    assert spending.parked.spend.micros == spending.billed_when_parked
    assert spending.reviewed.spend.micros == billed(endpoint) == 3 * CALL


async def test_nothing_stays_reserved(spending: Spending) -> None:
    assert spending.parked.spend.held == 0


async def test_the_refused_call_is_counted_and_never_reached_the_provider(
    spending: Spending, endpoint: Rehearsal
) -> None:
    assert spending.parked.spend.refused == 1
    assert len(endpoint.calls) == 3


async def test_why_shows_the_money_and_what_to_do(spending: Spending) -> None:
    assert "spent $0.04 of $0.05 in 2 calls, 1 calls refused" in spending.why.words
    assert spending.why.next[0].startswith(f"swarm resume {spending.why.run} --budget")


async def test_how_the_agent_ended_is_kept(spending: Spending) -> None:
    ended = [line for line in spending.why.words if line.startswith("turn 1 ended: error")]
    assert "402 swarm: the budget of this run is used up" in ended[0]


async def test_with_more_money_it_goes_on_to_the_review(world: World, spending: Spending) -> None:
    run = spending.reviewed.row.run
    assert run.budget == 100_000
    assert await world.at(spending.reviewed).file(run.id, "first.txt") == "1"
    assert await world.at(spending.reviewed).file(run.id, "second.txt") == "2"


async def test_every_call_and_every_refusal_stands_in_the_log(
    world: World, spending: Spending
) -> None:
    events = await world.at(spending.reviewed).events(spending.reviewed.row.run.id)
    totals = [event.body.total for event in events if isinstance(event.body, Spent)]
    refused = [event.body for event in events if isinstance(event.body, Refused)]
    assert totals == [CALL, 2 * CALL, 3 * CALL]
    assert [(each.status, each.budget) for each in refused] == [(402, True)]


async def test_costs_are_grouped_as_asked(world: World, spending: Spending) -> None:
    run = spending.reviewed.row.run
    lines = {line.key: line for line in await world.client.costs("task")}
    assert (lines[run.task].micros, lines[run.task].calls) == (3 * CALL, 3)


async def test_what_an_agent_claims_costs_nothing(world: World) -> None:
    user = world.user()
    shown = await user.until(await user.submit(agent="claimant"), RunState.IN_REVIEW)
    assert (shown.spend.micros, shown.spend.calls) == (0, 0)


async def test_a_budget_of_nothing_lets_no_call_through(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="spender", budget="0")
    parked = await user.until(run, RunState.PARKED)
    assert (parked.spend.micros, parked.spend.calls, parked.spend.refused) == (0, 0, 1)
