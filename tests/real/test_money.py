"""The real agents and their money: every micro-dollar is known; at a limit they wait, go on, or end.

What they said with their models is recorded, and done again from the recording.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web

from app import wire
from app.domain.cassette import Cassette
from app.domain.events import Refused, StateChanged, TurnStarted
from app.domain.money import parse_dollars
from app.domain.run import RunState
from app.gateway import server
from app.gateway.dialects import Objection
from app.gateway.rehearsal import Rehearsal
from app.store.costs import WAYS
from app.supervisor import money
from harnesses.events import TurnEnded, UsageReported
from tests.real.conftest import REAL_KEY, house_at
from tests.real.plans import AGENTS, PLANS
from tests.real.stories import says
from tests.support.world import World, story

pytestmark = [
    pytest.mark.docker,
    pytest.mark.real,
    pytest.mark.asyncio(loop_scope="module"),
]
Body: TypeAlias = dict[str, Any]
OURS_TO_CHANGE = {
    "model",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "stream_options",
}
PAUSE = 1.0
"""Seconds between two signs of life."""
RATE = 4
"""Model calls in a minute that the looping agent may make: few, since a busy machine makes it slow."""
OURS = "swarm: the budget of this run is used up"
LAST_WORDS = {
    "claude-code": OURS,
    # It has words of its own for the one answer that it takes as final.
    "codex": "Quota exceeded",
    "opencode": OURS,
}
each_agent = pytest.mark.parametrize("agent", AGENTS)


@pytest.fixture(scope="module")
def sent() -> list[Body]:
    """What agents sent to the gateway, as they sent it."""
    return []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    provider: Rehearsal, sent: list[Body], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """A world that asks at a limit, and listens to what agents send.

    They get signs of life soon, so that no test waits long for one.
    """
    configured, read = money.gateway_settings, server._read

    async def listened(request: web.BaseRequest, limit: int) -> bytes | Objection:
        body = await read(request, limit)
        if isinstance(body, bytes):
            sent.append(json.loads(body))
        return body

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "_read", listened)
        patch.setattr(
            money,
            "gateway_settings",
            lambda c: msgspec.structs.replace(configured(c), alive=PAUSE),
        )
        root = tmp_path_factory.mktemp("money")
        async with house_at(root, provider, budget={"run": "5.00", "on_limit": "park"}) as world:
            yield world


@dataclass(frozen=True)
class Parked:
    """A run that was given more once, and refused the second time."""

    first: wire.RunDetail
    second: wire.RunDetail
    end: wire.RunDetail


@dataclass(frozen=True)
class Told:
    """What happened to everybody."""

    parked: Mapping[str, Parked]
    counted: wire.RunDetail
    """Claude Code in a conversation that lives from its cache, with a sub-agent; recorded."""
    looped: wire.RunDetail
    """opencode, whose model never says that it is done."""
    asked: int
    """Calls that came to the provider."""

    @property
    def runs(self) -> list[wire.RunDetail]:
        return [*(story.end for story in self.parked.values()), self.counted, self.looped]


@story
async def told(house: World, provider: Rehearsal) -> Told:
    """All stories side by side, since each waits most of the time."""
    recorded = in_its_cache(house, Cassette(record=tape(house)))
    limits = asyncio.gather(*(parked_at_its_limit(house, agent) for agent in AGENTS))
    counted, looped, parked = await asyncio.gather(recorded, loops(house), limits)
    return Told(dict(zip(AGENTS, parked, strict=True)), counted, looped, len(provider.calls))


@story
async def replayed(house: World, told: Told) -> wire.RunDetail:
    """The conversation that was recorded, held again without a provider."""
    assert told.counted.row.run.state == RunState.IN_REVIEW
    return await in_its_cache(house, Cassette(replay=tape(house)))


async def parked_at_its_limit(house: World, agent: str) -> Parked:
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


async def in_its_cache(house: World, cassette: Cassette) -> wire.RunDetail:
    user = house.user()
    new = wire.NewTask(
        goal="Look around [[plan:cached]]",
        repo=str(user.repo),
        agent="claude-code",
        cassette=cassette,
        submitter="ada",
    )
    run = (await house.client.submit(new)).run.id
    return await user.until(run, RunState.IN_REVIEW, RunState.FAILED)


async def loops(house: World) -> wire.RunDetail:
    user = house.user(budget={"request_rate": RATE})
    run = await user.submit("Go on [[plan:unfinished]]", agent="opencode")
    return await user.until(run, RunState.PARKED)


def tape(house: World) -> str:
    return str(house.home.root / "money.cassette")


@each_agent
async def test_a_raise_lets_the_same_call_go_on(house: World, told: Told, agent: str) -> None:
    story = told.parked[agent]
    assert story.second.spend.calls > story.first.spend.calls
    assert story.second.spend.refused == 0
    events = await house.at(story.end).events(story.end.row.run.id)
    assert len([event for event in events if isinstance(event.body, TurnStarted)]) == 1


@each_agent
async def test_after_a_no_it_asks_at_most_twice_more_and_nothing_is_lost(
    told: Told, agent: str
) -> None:
    end = told.parked[agent].end
    assert 1 <= end.spend.refused <= 3
    assert end.spend.micros <= end.row.run.budget
    assert end.row.run.files > 0


@each_agent
async def test_after_a_no_log_and_agent_say_why_it_stops(
    house: World, told: Told, agent: str
) -> None:
    end = told.parked[agent].end
    events = await house.at(end).events(end.row.run.id)
    at, refused = next((e.at, e.body) for e in events if isinstance(e.body, Refused))
    assert OURS in refused.why
    # One that has nothing to say within a second is ended.
    said = [event.body for event in events if isinstance(event.body, TurnEnded)]
    assert all(ended.reason == "error" for ended in said)
    assert all(LAST_WORDS[agent] in ended.error for ended in said)
    parked = next(
        e.at for e in events if e.body == StateChanged(RunState.PARKED, end.row.run.reason)
    )
    # Seen with `pytest -rP`; how long it takes depends on the machine.
    sys.stdout.write(
        f"{agent}: {len(said)} last words, gone {parked - at:.2f} s after the refusal\n"
    )


async def test_the_ledger_is_what_claude_code_itself_reports_to_the_micro_dollar(
    house: World, told: Told
) -> None:
    own, spend = await reported(house, told.counted), told.counted.spend
    assert spend.cache_read > 10 * spend.input
    assert spend.micros == own.cost_micros
    assert (spend.input, spend.output) == (own.input, own.output)
    assert (spend.cache_read, spend.cache_write) == (own.cache_read, own.cache_write)


async def test_what_a_sub_agent_costs_is_told_apart(house: World, told: Told) -> None:
    lines = await house.client.costs("subagent", of=told.counted.row.run.id)
    calls = {bool(line.key): line.calls for line in lines}
    assert calls == {False: len(PLANS["cached"]), True: len(PLANS["cached-child"])}
    assert sum(line.micros for line in lines) == told.counted.spend.micros


async def test_every_call_of_every_program_is_counted_those_in_the_background_too(
    house: World, provider: Rehearsal, told: Told
) -> None:
    made = provider.calls[: told.asked]
    assert any(not call.body.get("tools") for call in made)
    billed = [call.billed for call in made if call.billed is not None]
    spends = [(await house.client.detail(each.row.run.id)).spend for each in told.runs]
    assert sum(each.calls for each in spends) == len(billed)
    assert sum(each.output for each in spends) == sum(each.output for each in billed)
    sent = (each.input + each.cache_read + each.cache_write for each in spends)
    assert sum(sent) == sum(each.input + each.cache_read + each.written for each in billed)


@pytest.mark.parametrize("by", WAYS)
async def test_however_costs_are_added_up_they_are_the_ledger(
    house: World, told: Told, by: str
) -> None:
    lines = await house.client.costs(by)
    assert sum(line.micros for line in lines) == sum(each.spend.micros for each in told.runs)


async def test_a_loop_of_requests_is_cut_off_by_their_rate(provider: Rehearsal, told: Told) -> None:
    assert f"more than {RATE} model calls in a minute" in told.looped.row.run.reason
    calls = [call for call in provider.calls if says(call, "[[plan:unfinished]]")]
    assert RATE - 2 <= len(calls) <= RATE
    assert told.looped.spend.refused <= 3


@pytest.mark.usefixtures("told")
async def test_of_what_agents_send_nothing_else_changes(
    provider: Rehearsal, sent: list[Body]
) -> None:
    arrived = [_but_ours(call.body) for call in provider.calls]
    known = [_but_ours(body) for body in sent]
    assert len(arrived) >= 20
    assert all(body in known for body in arrived)


async def test_from_the_recording_it_does_the_same_work(
    told: Told, replayed: wire.RunDetail
) -> None:
    assert replayed.row.run.state == RunState.IN_REVIEW, replayed.row.run.reason
    assert replayed.reviews[-1].result_tree == told.counted.reviews[-1].result_tree
    assert replayed.spend.calls == told.counted.spend.calls
    assert replayed.spend.refused == 0


async def test_from_the_recording_it_costs_nothing_and_nobody_is_asked(
    provider: Rehearsal, told: Told, replayed: wire.RunDetail
) -> None:
    first, again = told.counted.spend, replayed.spend
    assert (again.micros, again.input, again.output) == (0, first.input, first.output)
    assert len(provider.calls) == told.asked


async def test_the_recording_holds_no_key(house: World, told: Told) -> None:
    assert told.counted.spend.calls
    text = await asyncio.to_thread(Path(tape(house)).read_text)
    assert "swarm-run-" not in text
    assert REAL_KEY not in text


async def reported(house: World, detail: wire.RunDetail) -> UsageReported:
    """What the agent itself says that it used."""
    events = await house.at(detail).events(detail.row.run.id)
    (own,) = [event.body for event in events if isinstance(event.body, UsageReported)]
    return own


def _but_ours(body: Mapping[str, Any]) -> Body:
    return {name: value for name, value in body.items() if name not in OURS_TO_CHANGE}
