"""An agent that is kept waiting at its limit: signs of life, then the answer or the end; and whose call it is."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from app.domain.budget import Raise
from app.domain.events import Spent
from app.domain.ids import ApprovalId, RunId
from app.domain.money import Micros
from app.gateway.lanes import lane_of
from app.gateway.ledger import Shortage
from app.store import budgets, costs
from tests.support.model_endpoint import (
    CHAT,
    GEMINI,
    MESSAGES,
    RESPONSES,
    RUN_ID,
    RUN_KEY,
    Bench,
    ask,
    asking,
    bench,
)
from tests.support.patience import PATIENCE

PING = b'event: ping\ndata: {"type": "ping"}\n\n'
SIGNS = {
    MESSAGES: "ping",
    RESPONSES: "keepalive",
    CHAT: "chat.completion.chunk",
    GEMINI: "candidates",
}
"""What providers themselves send to say that they are still there, or an event that says nothing."""


@dataclass
class Person:
    """Is asked for more, and pays or does not, when told so."""

    asked: list[Shortage] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    said: asyncio.Event = field(default_factory=asyncio.Event)
    given_up: asyncio.Event = field(default_factory=asyncio.Event)
    yes: bool = True
    bench: Bench | None = None

    async def rest(self, run: RunId, until: float, why: str) -> None:
        raise AssertionError

    async def more(self, run: RunId, shortage: Shortage) -> bool:
        assert self.bench
        self.asked.append(shortage)
        self.heard.set()
        try:
            await self.said.wait()
        except asyncio.CancelledError:
            self.given_up.set()
            raise
        if self.yes:
            more = Raise(
                approval=ApprovalId(""),
                tally=shortage.room.key,
                of="",
                micros=Micros(10**6),
                tokens=0,
            )
            await self.bench.database.write(budgets.grant, more, run=run)
        return self.yes


@contextlib.asynccontextmanager
async def poor(person: Person, alive: float = 0.02) -> AsyncIterator[Bench]:
    """A run that cannot pay its first call."""
    async with bench(budget=1_000, desk=person, alive=alive) as b:
        person.bench = b
        yield b


@contextlib.asynccontextmanager
async def call(
    b: Bench, path: str = MESSAGES, **more: Any
) -> AsyncIterator[aiohttp.ClientResponse]:
    """A call whose reply has begun."""
    session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(b.socket)))
    headers = {"authorization": f"Bearer {RUN_KEY}"}
    async with (
        session,
        session.post(
            f"http://gateway{path}", json=asking(path, **more), headers=headers
        ) as response,
    ):
        yield response


async def test_the_stream_lives_while_a_person_decides_and_then_goes_on() -> None:
    person = Person()
    async with poor(person) as b, call(b) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        assert await response.content.readexactly(2 * len(PING)) == 2 * PING
        person.said.set()
        rest = await response.read()
        assert rest.replace(PING, b"").startswith(b"event: message_start")
        assert b"message_stop" in rest
        assert (await b.settled()).calls == 1


@pytest.mark.parametrize("path", SIGNS)
async def test_each_dialect_has_signs_of_life_that_are_events_and_say_nothing(path: str) -> None:
    person = Person()
    async with poor(person) as b, call(b, path) as response:
        lines = [await response.content.readline() for _ in range(6)]
        person.said.set()
        await response.read()
        signs = [json.loads(line[6:]) for line in lines if line.startswith(b"data: ")]
        assert len(signs) >= 2
        for sign in signs:
            assert SIGNS[path] in (sign.get("type"), sign.get("object"), *sign)
            assert not sign.get("choices")
            assert not sign.get("candidates")
        assert [told.known for told in (await told_once(b))] == ["metered"]


async def test_a_reply_that_is_not_streamed_waits_in_front_of_its_json() -> None:
    person = Person()
    async with poor(person) as b, call(b, stream=False) as response:
        assert response.content_type == "application/json"
        assert await response.content.readexactly(2) == b"\n\n"
        person.said.set()
        assert (await response.json())["type"] == "message"


async def test_after_a_no_the_stream_is_cut_so_that_nobody_takes_it_for_an_answer() -> None:
    person = Person(yes=False)
    async with poor(person) as b, call(b) as response:
        person.said.set()
        with pytest.raises(aiohttp.ClientError):
            await response.read()
        assert not b.endpoint.requests
        assert (await b.spend()).refused == 1


async def test_an_answer_that_comes_soon_needs_no_cut() -> None:
    person = Person(yes=False)
    person.said.set()
    async with poor(person, alive=60) as b:
        assert (await b.post(ask())).status == 402


async def test_nobody_is_asked_for_an_agent_that_hung_up() -> None:
    person = Person()
    async with poor(person) as b:
        async with call(b) as response:
            assert response.status == 200
        async with asyncio.timeout(PATIENCE):
            await person.given_up.wait()
        assert (await b.spend()).refused == 0


async def test_what_is_lacking_is_told() -> None:
    person = Person(yes=False)
    person.said.set()
    async with poor(person, alive=60) as b:
        await b.post(ask())
    (short,) = person.asked
    assert (short.room.key, short.room.left) == (f"run/{RUN_ID}", 1_000)
    assert short.needs > 1_000


async def test_a_sub_agents_calls_are_told_apart() -> None:
    async with bench() as b:
        await b.post(ask())
        await b.post(ask(), **{"x-claude-code-agent-id": "a1b2"})
        await b.settled(2)
        lines = await b.database.read(costs.costs, "subagent")
        assert sorted((line.key, line.calls) for line in lines) == [("", 1), ("a1b2", 1)]


@pytest.mark.parametrize(
    ("headers", "lane"),
    [
        ({}, ""),
        ({"x-claude-code-agent-id": "a1"}, "a1"),
        ({"thread-id": "t1"}, ""),
        ({"x-openai-subagent": "collab_spawn", "thread-id": "t2"}, "t2"),
        ({"x-session-id": "s1"}, ""),
        ({"x-session-id": "s2", "x-parent-session-id": "s1"}, "s2"),
        ({"x-claude-code-agent-id": "\x1b[2J evil"}, ""),
    ],
)
def test_each_harness_says_in_its_own_way_whose_call_it_is(
    headers: dict[str, str], lane: str
) -> None:
    assert lane_of(headers) == lane


async def told_once(b: Bench) -> list[Spent]:
    """What was told of the one call, once it is settled."""
    await b.settled()
    return b.witness.spent
