"""At its limit a run asks for more, and goes on in the same turn: parked, not killed."""

import asyncio
from dataclasses import dataclass

import pytest

from app import wire
from app.domain.errors import ConfigError, UsageError
from app.domain.events import StateChanged, TurnStarted, Warned
from app.domain.money import Micros
from app.domain.review import Approval
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal
from tests.support.actions import SwarmActions
from tests.support.scripts import edit, scripted, tokens, wait_for
from tests.support.world import Settings, World, paid_at, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALL = 20_000
"""Micro-dollars of one call of the spender."""
AGENTS = {
    "spender": scripted(
        [edit("first.txt", "1\n"), tokens(10_000, 1_000, times=3), edit("second.txt", "2\n")],
        [tokens(10_000, 1_000), edit("second.txt", "2\n")],
    ),
    "slow": scripted(
        [edit("first.txt", "1\n"), wait_for("/nowhere/at/all")], [edit("b.txt", "2\n")]
    ),
    "steady": scripted([edit("first.txt", "1\n"), {"sleep": 6}, edit("second.txt", "2\n")]),
    "endless": scripted([edit("first.txt", "1\n"), tokens(10, 10, times=200)]),
}


@pytest.fixture(scope="module")
def settings(endpoint: Rehearsal) -> Settings:
    return {
        "budget": {"warn": [50]},
        "gateway": paid_at(endpoint.url),
    }


async def asked(user: SwarmActions, run: str, state: RunState = RunState.WAITING) -> Approval:
    question = (await user.until(run, state)).row.question
    assert question
    return question


@dataclass(frozen=True)
class Raised:
    """A run that asked for more and got it."""

    question: Approval
    waiting: wire.RunDetail
    reviewed: wire.RunDetail


@story
async def raised(world: World) -> Raised:
    user = world.user()
    run = await user.submit(agent="spender", budget="0.05")
    question = await asked(user, run)
    waiting = await world.client.detail(run)
    await user.answer(question, yes=True)
    return Raised(question, waiting, await user.until(run, RunState.IN_REVIEW))


async def test_the_question_says_what_is_used_up_and_what_is_proposed(raised: Raised) -> None:
    assert raised.question.title == (
        "The budget of this run ($0.05) is used up. Raise it by $0.03?"
    )
    assert raised.question.reason == "the next call may use $0.02, $0.01 is left"


async def test_while_it_waits_nothing_is_spent_or_refused(raised: Raised) -> None:
    spend = raised.waiting.spend
    assert (spend.micros, spend.held, spend.calls, spend.refused) == (2 * CALL, 0, 2, 0)


async def test_after_a_yes_the_same_call_goes_on_in_the_same_turn(
    world: World, raised: Raised
) -> None:
    run = raised.reviewed.row.run
    events = await world.at(raised.reviewed).events(run.id)
    assert len([event for event in events if isinstance(event.body, TurnStarted)]) == 1
    assert raised.reviewed.spend.calls == 3
    assert await world.at(raised.reviewed).file(run.id, "second.txt") == "2"


async def test_the_raise_stands_in_the_budget_and_in_the_audit(
    world: World, raised: Raised
) -> None:
    assert raised.reviewed.row.run.budget == 50_000 + 30_000
    rows = {row.what: row for row in await world.client.audit(raised.reviewed.row.run.id)}
    assert rows["budget raised"].actor == "ada"
    assert rows["budget raised"].detail["by"] == "$0.03"


async def test_the_run_waits_and_works_again_in_its_log(world: World, raised: Raised) -> None:
    events = await world.at(raised.reviewed).events(raised.reviewed.row.run.id)
    states = [event.body.state for event in events if isinstance(event.body, StateChanged)]
    at = states.index(RunState.WAITING)
    assert states[at - 1 : at + 2] == [RunState.WORKING, RunState.WAITING, RunState.WORKING]


async def test_half_of_the_budget_is_told_once(world: World, raised: Raised) -> None:
    events = await world.at(raised.reviewed).events(raised.reviewed.row.run.id)
    warned = [event.body for event in events if isinstance(event.body, Warned)]
    assert [(each.of, each.percent, each.spent) for each in warned] == [("this run", 50, 2 * CALL)]


async def test_a_person_may_name_another_amount(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="spender", budget="0.05")
    question = await asked(user, run)
    body = wire.Answer(yes=True, amount=Micros(200_000), by="ada")
    await world.client.answer(question.id, body)
    shown = await user.until(run, RunState.IN_REVIEW)
    assert shown.row.run.budget == 250_000


@story
async def denied(world: World, endpoint: Rehearsal) -> tuple[wire.RunDetail, int]:
    """A run whose person said no, and how many calls reached the provider."""
    user = world.user()
    run = await user.submit(agent="spender", budget="0.05")
    question = await asked(user, run)
    before = len(endpoint.calls)
    await user.answer(question, yes=False)
    return await user.until(run, RunState.PARKED), len(endpoint.calls) - before


async def test_after_a_no_the_agent_is_stopped_and_its_work_kept(
    denied: tuple[wire.RunDetail, int],
) -> None:
    shown, calls = denied
    assert shown.row.run.reason.startswith("the budget of this run is used up")
    assert shown.row.run.files == 1
    assert shown.spend.refused <= 2
    assert calls == 0


@story
async def waited(world: World) -> tuple[wire.RunDetail, wire.RunDetail]:
    """A run whose person came too late: parked, then answered."""
    user = world.user(budget={"park": "1s"})
    run = await user.submit(agent="spender", budget="0.05")
    parked = await user.until(run, RunState.PARKED)
    assert parked.row.question
    await user.answer(parked.row.question, yes=True)
    return parked, await user.until(run, RunState.IN_REVIEW)


async def test_a_question_outlives_the_patience_of_the_agent(
    waited: tuple[wire.RunDetail, wire.RunDetail],
) -> None:
    assert waited[0].row.question
    assert waited[0].row.question.action == "raise"


async def test_a_late_yes_sends_the_run_back_to_work(
    world: World, waited: tuple[wire.RunDetail, wire.RunDetail]
) -> None:
    shown = waited[1]
    assert shown.row.run.round == 2
    assert await world.at(shown).file(shown.row.run.id, "second.txt") == "2"


async def test_a_question_is_settled_by_a_resume_with_more(world: World) -> None:
    user = world.user(budget={"park": "1s"})
    run = await user.submit(agent="spender", budget="0.05")
    await user.until(run, RunState.PARKED)
    await user.resume(run, budget="0.10")
    shown = await user.until(run, RunState.IN_REVIEW)
    assert [each.answer for each in shown.approvals] == ["no"]


async def test_a_repository_may_rather_stop_than_ask(world: World) -> None:
    user = world.user(budget={"on_limit": "stop"})
    run = await user.submit(agent="spender", budget="0.05")
    shown = await user.until(run, RunState.PARKED)
    assert (shown.approvals, shown.spend.refused) == ((), 1)


async def test_a_repository_may_not_widen_a_budget(world: World) -> None:
    user = world.user(budget={"park": "2h"})
    with pytest.raises(ConfigError, match=r"budget\.park may only be lower than your own, 1h"):
        await user.submit(agent="spender")


async def test_a_loop_is_cut_off_by_the_rate_of_its_requests(
    world: World, endpoint: Rehearsal
) -> None:
    before = len(endpoint.calls)
    user = world.user(budget={"request_rate": 20})
    run = await user.submit(agent="endless", budget="1.00")
    shown = await user.until(run, RunState.PARKED)
    assert "more than 20 model calls in a minute" in shown.row.run.reason
    assert len(endpoint.calls) - before == 20
    assert 1 <= shown.spend.refused <= 22


@dataclass(frozen=True)
class Overtime:
    """A run that worked for longer than it may, and was given more time."""

    question: Approval
    reviewed: wire.RunDetail


@story
async def overtime(world: World) -> Overtime:
    user = world.user(budget={"time": "4s"})
    run = await user.submit(agent="steady")
    question = await asked(user, run)
    with pytest.raises(UsageError, match="asks for 1m, not for money"):
        await world.client.answer(question.id, wire.Answer(yes=True, amount=Micros(1), by="ada"))
    await user.answer(question, yes=True)
    return Overtime(question, await user.until(run, RunState.IN_REVIEW))


async def test_time_is_a_budget_too_and_more_is_asked_for(overtime: Overtime) -> None:
    assert overtime.question.title == (
        "The time of this run (4s of work) is used up. Give it 1m more?"
    )


async def test_given_more_time_it_goes_on_in_the_same_turn(
    world: World, overtime: Overtime
) -> None:
    run = overtime.reviewed.row.run
    events = await world.at(overtime.reviewed).events(run.id)
    assert len([event for event in events if isinstance(event.body, TurnStarted)]) == 1
    assert await world.at(overtime.reviewed).file(run.id, "second.txt") == "2"
    rows = {row.what: row for row in await world.client.audit(run.id)}
    assert rows["budget raised"].detail["by"] == "1m"


async def test_half_of_the_time_is_told_once(world: World, overtime: Overtime) -> None:
    run = overtime.reviewed.row.run.id
    events = await world.at(overtime.reviewed).events(run)
    warned = [event.body for event in events if isinstance(event.body, Warned)]
    assert [(each.of, each.percent, each.unit, each.cap) for each in warned] == [
        ("this run", 50, "time", 4)
    ]


async def test_without_more_time_its_work_is_kept_and_a_resume_starts_it_anew(
    world: World,
) -> None:
    async def ends_and_goes_on(budget: dict[str, str], of: str) -> None:
        user = world.user(budget=budget)
        run = await user.submit(agent="slow")
        if "on_limit" not in budget:
            await user.answer(await asked(user, run), yes=False)
        shown = await user.until(run, RunState.PARKED)
        assert f"the time of this {of} is used up" in shown.row.run.reason
        assert shown.row.run.files == 1
        await user.resume(run)
        assert (await user.until(run, RunState.IN_REVIEW)).row.run.files == 2

    await asyncio.gather(
        ends_and_goes_on({"time": "8s"}, "run"),
        ends_and_goes_on({"task_time": "8s", "on_limit": "stop"}, "task"),
    )
