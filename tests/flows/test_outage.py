"""A model API is down for ten minutes: its runs park and go on by themselves, those of others are not held up."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from aiohttp import web

from app import wire
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal
from tests.support.home import home_at
from tests.support.invariants import World
from tests.support.kills import Killed
from tests.support.nursery import CLOCK, nursery, set_clock
from tests.support.repos import make_repository
from tests.support.scripts import edit, scripted, tokens
from tests.support.world import story

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORK = [edit("first.txt", "1\n"), tokens(5, 9), edit("second.txt", "2\n")]
MINUTES = (300.0, 600.0)
"""When somebody looks whether it is there again."""


class Flaky(Rehearsal):
    """A provider that answers nobody while it is down."""

    def __init__(self) -> None:
        super().__init__()
        self.down = True
        self.refused = 0
        """Model calls while it was down."""
        self.looks = 0
        """Other requests."""

    def was_seen(self, times: int) -> bool:
        return self.looks >= times

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "GET":
            self.looks += 1
        elif self.down:
            self.refused += 1
        return web.Response(status=503) if self.down else await super()._handle(request)


@dataclass(frozen=True)
class Outage:
    """One run at the provider that was down, one at another."""

    parked: wire.RunDetail
    refused: int
    """Model calls until it parked."""
    later: wire.RunDetail
    """After ten minutes."""
    refused_later: int
    back: wire.RunDetail
    other: wire.RunDetail
    audit: tuple[wire.AuditRow, ...]


def settings(flaky: str, other: str) -> dict[str, Any]:
    def upstream(url: str, model: str) -> dict[str, Any]:
        return {"url": url, "key": "", "dialects": ["anthropic"], "models": [model]}

    def price() -> dict[str, str]:
        return {"input": "1", "output": "10"}

    return {
        "agents": {"ada": scripted(WORK), "bob": {**scripted(WORK), "model": "other"}},
        "sandbox": {"driver": "memory"},
        "gateway": {
            "upstreams": {"flaky": upstream(flaky, "scripted"), "fine": upstream(other, "other")},
            "prices": {"scripted": price(), "other": price()},
        },
    }


@story
async def outage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outage]:
    root = tmp_path_factory.mktemp("outage")
    clock = root / "clock"
    set_clock(clock, 0.0)
    flaky = Flaky()
    with nursery() as cradle, home_at(root) as home:
        async with flaky, Rehearsal() as fine:
            home.configure(settings(flaky.url, fine.url))
            world = World(home, make_repository(root / "project"))
            with Killed(cradle, world, {CLOCK: str(clock)}) as user:
                grounded, flying = await user.submit("ada"), await user.submit("bob")
                other = await user.until(flying, RunState.IN_REVIEW, RunState.FAILED)
                parked = await user.until(grounded, RunState.PARKED, RunState.FAILED)
                refused = flaky.refused
                for number, seconds in enumerate(MINUTES, start=1):
                    set_clock(clock, seconds)
                    await user.wait(partial(flaky.was_seen, number))
                later, refused_later = await user.until(grounded, *RunState), flaky.refused
                flaky.down = False
                set_clock(clock, MINUTES[-1] + 60)
                back = await user.until(grounded, RunState.IN_REVIEW, RunState.FAILED)
                audit = await user.ask(lambda swarm: swarm.audit(grounded))
                yield Outage(parked, refused, later, refused_later, back, other, audit)


async def test_a_run_whose_provider_is_down_waits_and_says_so(outage: Outage) -> None:
    run = outage.parked.row.run
    assert run.state == RunState.PARKED
    assert run.reason == (
        "the model API 'flaky' does not answer; it goes on by itself once that does"
    )


async def test_those_of_another_provider_are_not_held_up(outage: Outage) -> None:
    assert outage.other.row.run.state == RunState.IN_REVIEW


async def test_meanwhile_nothing_is_started_asked_or_spent(outage: Outage) -> None:
    run = outage.later.row.run
    assert (run.state, run.round) == (RunState.PARKED, 1)
    assert outage.later.spend.micros == 0
    assert outage.refused_later == outage.refused


async def test_once_it_answers_the_run_goes_on_and_ends_well(outage: Outage) -> None:
    run = outage.back.row.run
    assert (run.state, run.round) == (RunState.IN_REVIEW, 2)


async def test_that_it_went_on_is_written_down_once(outage: Outage) -> None:
    assert [row.actor for row in outage.audit if row.what == "resumed"] == ["swarm"]
