"""A run's model traffic, recorded from one provider and played without any."""

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from app.domain.cassette import Cassette
from app.domain.errors import EnvironmentProblem, UsageError
from app.gateway.cassette import begin
from app.gateway.settings import Upstream
from tests.support.model_endpoint import (
    CHAT,
    MESSAGES,
    REAL_KEY,
    RESPONSES,
    RUN_KEY,
    Answer,
    Bench,
    ask,
    asking,
    bench,
)

NOWHERE = Upstream(name="anthropic", url="http://127.0.0.1:1", key="env:NO_SUCH_KEY_HERE")
COUNT = f"{MESSAGES}/count_tokens"
PATHS = pytest.mark.parametrize("path", [MESSAGES, RESPONSES, CHAT])


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    return tmp_path / "tape.jsonl"


async def recorded(tape: Path, path: str, *bodies: dict[str, Any]) -> list[Answer | None]:
    """What the provider says to these, recorded."""
    begin(Cassette(record=str(tape)))
    async with bench(cassette=Cassette(record=str(tape))) as b:
        answers = [await post(b, path, body) for body in bodies]
        while b.gateway._exchanges:
            await next(iter(b.gateway._exchanges))
        return answers


def playing(tape: Path, **more: Any) -> Any:
    """A gateway that plays the recording, with no provider and no key."""
    return bench(cassette=Cassette(replay=str(tape)), upstreams=(NOWHERE,), **more)


async def post(b: Bench, path: str, body: dict[str, Any]) -> Answer | None:
    """None when the reply was cut."""
    try:
        return await b.post(body, path=path)
    except aiohttp.ClientError:
        return None


@PATHS
@pytest.mark.parametrize("streamed", [True, False])
async def test_what_was_recorded_is_played_without_a_provider_or_a_key(
    tape: Path, path: str, streamed: bool
) -> None:
    body = asking(path, '[[usage input=20 output=30 text="well said"]]', stream=streamed)
    [first] = await recorded(tape, path, body)
    async with playing(tape) as b:
        again = await post(b, path, body)
        assert first is not None
        assert again is not None
        assert (again.status, again.body) == (first.status, first.body)
        assert again.headers["content-type"] == first.headers["content-type"]
        spend = await b.settled()
        assert (spend.micros, spend.input, spend.output) == (0, 20, 30)


async def test_a_free_count_of_tokens_is_played_too(tape: Path) -> None:
    body = {"model": "claude-opus-5-5", "messages": [{"role": "user", "content": "x"}]}
    [first] = await recorded(tape, COUNT, body)
    async with playing(tape) as b:
        again = await post(b, COUNT, body)
        assert first is not None
        assert again is not None
        assert again.json == first.json


async def test_another_prompt_misses_loudly_and_says_where_it_differs(tape: Path) -> None:
    other = "Paint all of it in another colour"
    await recorded(tape, MESSAGES, ask("Make it red"), ask(other))
    async with playing(tape) as b:
        answer = await b.post(ask("Make it green"))
        assert answer.status == 403
        assert answer.headers["x-should-retry"] == "false"
        why = answer.json["error"]["message"]
        assert "the cassette tape.jsonl has no reply to this call" in why
        assert "at messages.0.content, where 'Make it red' was recorded" in why
        assert "'Make it green' is asked" in why
        assert [told.why for told in b.witness.refusals] == [why]


async def test_the_same_request_gets_its_replies_in_the_order_of_the_recording(tape: Path) -> None:
    same = ask("[[usage output=5 fault=500]]")
    await recorded(tape, MESSAGES, same)
    lines = tape.read_text().splitlines()
    good = json.loads(lines[1]) | {"status": 200, "body": '{"usage": {"output_tokens": 7}}'}
    good["headers"] = {"content-type": "application/json"}
    tape.write_text("\n".join([*lines, json.dumps(good)]))
    async with playing(tape) as b:
        assert [(await b.post(same)).status for _ in range(3)] == [500, 200, 200]


@PATHS
async def test_a_reply_that_broke_off_breaks_off_again(tape: Path, path: str) -> None:
    body = asking(path, "[[usage output=30 fault=cut]]")
    assert await recorded(tape, path, body) == [None]
    async with playing(tape) as b:
        assert await post(b, path, body) is None
        assert (await b.settled()).held == 0


async def test_the_budget_may_cut_the_answer_of_the_second_time_shorter(tape: Path) -> None:
    await recorded(tape, MESSAGES, ask("x", max_tokens=9000))
    async with playing(tape) as b:
        assert (await b.post(ask("x", max_tokens=500))).status == 200


async def test_a_recording_holds_no_key_and_nobodys_home(tape: Path) -> None:
    personal = f"{'/ho'}me/grace/src with {REAL_KEY} and {RUN_KEY}"
    body = ask(f'[[usage text="in {personal}"]]', system=f"You work in {personal}.")
    [answer] = await recorded(tape, MESSAGES, body)
    assert answer is not None
    assert b"grace" in answer.body
    text = tape.read_text()
    assert "in /home/agent/src with [key] and [key]" in text
    assert not [secret for secret in ("grace", REAL_KEY, RUN_KEY) if secret in text]


async def test_a_recording_is_its_owners_alone_to_read(tape: Path) -> None:
    await recorded(tape, MESSAGES, ask())
    assert tape.stat().st_mode & 0o777 == 0o600


def test_nothing_is_recorded_over(tape: Path) -> None:
    tape.write_text("precious")
    with pytest.raises(UsageError, match="is there already"):
        begin(Cassette(record=str(tape)))
    assert tape.read_text() == "precious"


def test_where_nothing_can_be_written_nothing_is_begun(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="No such file or directory"):
        begin(Cassette(record=str(tmp_path / "no" / "tape")))


@pytest.mark.parametrize(
    "content", [b"", b"precious", b'{"swarm":"cassette","version":2}\n', b"\xff\xfe"]
)
def test_what_is_no_cassette_is_refused(tape: Path, content: bytes) -> None:
    tape.write_bytes(content)
    with pytest.raises(UsageError, match="not a cassette"):
        begin(Cassette(replay=str(tape)))


async def test_half_a_cassette_is_refused(tape: Path) -> None:
    await recorded(tape, MESSAGES, ask())
    tape.write_bytes(tape.read_bytes()[:-20])
    with pytest.raises(UsageError, match="not a whole one"):
        begin(Cassette(replay=str(tape)))


def test_a_cassette_that_is_not_there_is_named(tape: Path) -> None:
    with pytest.raises(UsageError, match=r"tape\.jsonl cannot be read: No such file"):
        begin(Cassette(replay=str(tape)))
