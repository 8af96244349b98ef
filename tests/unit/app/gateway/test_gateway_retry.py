"""A provider that fails before it says anything: tried again here, or put off, and never billed for it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from app.domain.ids import RunId
from app.gateway.ledger import NoDesk
from app.gateway.retry import retry_after
from app.gateway.settings import Upstream
from tests.support.model_endpoint import RUN_ID, Bench, ask, bench, http
from tests.support.providers import GOOD, STREAM, provider

BUSY = http("529 Overloaded", b'{"type":"error"}', content_type="application/json")
SOON = http("429 Too Many Requests", b"{}", content_type="application/json", retry_after="0")
LATE = http("429 Too Many Requests", b"{}", content_type="application/json", retry_after="7200")


@dataclass
class Diary(NoDesk):
    """Keeps what is put off."""

    rests: list[tuple[RunId, float]] = field(default_factory=list)

    async def rest(self, run: RunId, until: float, why: str) -> None:
        self.rests.append((run, until))


@contextlib.asynccontextmanager
async def facing(
    *replies: bytes, desk: Diary | None = None
) -> AsyncIterator[tuple[Bench, list[bytes]]]:
    async with provider(*replies) as (url, rest):
        there = Upstream(name="anthropic", url=url)
        async with bench(upstreams=(there,), attempts=3, desk=desk) as b:
            yield b, rest


@pytest.mark.parametrize("failure", [BUSY, SOON])
async def test_a_passing_failure_is_not_the_agents_to_see(failure: bytes) -> None:
    async with facing(failure, GOOD) as (b, _):
        answer = await b.post(ask())
        assert (answer.status, answer.body) == (200, STREAM)
        assert (await b.settled()).calls == 1


async def test_a_failure_that_stays_is_passed_on_and_costs_nothing() -> None:
    async with facing(BUSY) as (b, _):
        assert (await b.post(ask())).status == 529
        spend = await b.spend()
        assert (spend.calls, spend.held) == (0, 0)


async def test_every_failure_is_told_and_what_follows_it() -> None:
    async with facing(BUSY) as (b, _):
        await b.post(ask())
        told = [(each.upstream, each.status, each.again is None) for each in b.witness.failures]
        assert told == [
            ("anthropic", 529, False),
            ("anthropic", 529, False),
            ("anthropic", 529, True),
        ]


async def test_a_provider_that_is_not_there_is_told_too() -> None:
    there = Upstream(name="anthropic", url="http://127.0.0.1:9")
    async with bench(upstreams=(there,), attempts=1) as b:
        await b.post(ask())
        assert [each.words() for each in b.witness.failures] == [
            "the model API 'anthropic' cannot be reached; the agent is told"
        ]


async def test_a_provider_that_wants_hours_stops_the_agent_and_names_the_time() -> None:
    diary = Diary()
    async with facing(LATE, desk=diary) as (b, rest):
        answer = await b.post(ask())
        assert answer.status == 402
        assert "asks to wait until" in answer.json["error"]["message"]
        assert "retry-after" not in answer.headers
        assert len(rest) == 1
        assert [run for run, _ in diary.rests] == [RUN_ID]
        assert (await b.spend()).held == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20", 20.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 40.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("-5", None),
    ],
)
def test_a_provider_may_say_when_in_two_ways(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}, 60.0) == seconds
