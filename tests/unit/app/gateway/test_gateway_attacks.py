"""A hostile agent at the run's socket: nothing but the served routes exists, and only with the run's key."""

import asyncio
import contextlib
import json
from typing import Any

import aiohttp
import pytest

from app.domain.ids import RunId
from app.gateway.settings import Upstream
from tests.support.attacks import attack
from tests.support.model_endpoint import (
    MESSAGES,
    RUN_ID,
    RUN_KEY,
    Bench,
    add_run,
    ask,
    bench,
    http,
    raw_upstream,
)

BODY = json.dumps(ask()).encode()


def request(target: str, *lines: str, method: str = "POST", body: bytes = BODY) -> bytes:
    head = [
        f"{method} {target} HTTP/1.1",
        "host: gateway",
        f"authorization: Bearer {RUN_KEY}",
        f"content-length: {len(body)}",
        "connection: close",
        *lines,
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def status(reply: bytes) -> int:
    return int(reply.split(b" ", 2)[1])


@pytest.mark.parametrize(
    "target",
    [
        f"http://evil.example{MESSAGES}",
        f"//evil.example{MESSAGES}",
        "http://169.254.169.254/latest/meta-data",
        f"{MESSAGES}/",
        f"{MESSAGES}/batches",
        "/anthropic/v1/%6dessages",
        "/anthropic/v1/../v1/messages",
        "/anthropic//v1/messages",
        "/v1/messages",
        "/anthropic/v1/files",
        "/anthropic/v1/models/x",
        f"{MESSAGES};x=1",
        f"{MESSAGES.upper()}",
        "/",
    ],
)
@attack("N06")
async def test_any_other_target_does_not_exist(target: str) -> None:
    async with bench() as b:
        assert status(await b.raw(request(target))) == 404
        assert not b.endpoint.requests


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "HEAD"])
@attack("N06")
async def test_any_other_method_is_refused(method: str) -> None:
    async with bench() as b:
        assert status(await b.raw(request(MESSAGES, method=method))) in (400, 405)
        assert not b.endpoint.requests


@attack("N06")
async def test_the_gateway_is_no_tunnel() -> None:
    async with bench() as b:
        reply = await b.raw(
            b"CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n", wait=1
        )
        assert status(reply) in (400, 404)
        assert not b.endpoint.requests


@pytest.mark.parametrize(
    "key", ["", "Bearer", "Bearer wrong", f"Basic {RUN_KEY}", f"Bearer {RUN_KEY}x", "Bearer \xff"]
)
@attack("N05")
async def test_a_wrong_key_is_refused_so_that_the_agent_stops(key: str) -> None:
    async with bench() as b:
        answer = await b.post(ask(), authorization=key)
        assert answer.status == 403
        assert answer.headers["x-should-retry"] == "false"
        assert not b.endpoint.requests


@attack("N05")
async def test_another_runs_key_opens_nothing_on_this_socket() -> None:
    async with bench() as b:
        there = b.socket.parent.parent / "other.1" / "gateway.sock"
        await b.gateway.open(RunId("other.1"), there, "swarm-run-other")
        stolen = await b.post(ask(), authorization="Bearer swarm-run-other")
        assert stolen.status == 403


@pytest.mark.parametrize(
    "lines",
    [
        ("x-evil: a\rb",),
        ("x-evil: a\x00b",),
        ("x evil: a",),
        ("content-length: 3",),
        ("transfer-encoding: chunked",),
        ("transfer-encoding: chunked, identity",),
        ("x-giant: " + "a" * 200_000,),
        tuple(f"x-{n}: a" for n in range(5000)),
    ],
)
@attack("N08")
async def test_a_malformed_or_giant_head_never_reaches_the_provider(lines: tuple[str, ...]) -> None:
    async with bench() as b:
        reply = await b.raw(request(MESSAGES, *lines), wait=2)
        assert reply == b"" or 400 <= status(reply) < 500
        assert not b.endpoint.requests


@attack("N06")
async def test_a_line_break_in_a_header_adds_no_header_upstream() -> None:
    async with bench() as b:
        await b.raw(request(MESSAGES, "anthropic-beta: a\r\n x-api-key: evil"), wait=2)
        for seen in b.endpoint.requests:
            assert "evil" not in str(seen.headers)


async def test_a_header_that_is_no_text_is_left_behind() -> None:
    async with bench() as b:
        raw = request(MESSAGES).replace(
            b"host: gateway", b"host: gateway\r\nanthropic-beta: \xff\xfe"
        )
        reply = await b.raw(raw)
        assert status(reply) in (200, 400)


@attack("N08")
async def test_a_request_smuggled_behind_another_is_only_a_request_of_its_own() -> None:
    inner = request("/admin", body=b"")
    async with bench() as b:
        await b.raw(request(MESSAGES, body=BODY).replace(b"connection: close\r\n", b"") + inner)
        assert [seen.path for seen in b.endpoint.requests] == ["/v1/messages"]


@pytest.mark.parametrize("version", ["1.0", "2.0", "0.9"])
async def test_another_version_of_http_is_refused(version: str) -> None:
    async with bench() as b:
        raw = request(MESSAGES).replace(b"HTTP/1.1", f"HTTP/{version}".encode())
        assert 400 <= status(await b.raw(raw)) < 500
        assert not b.endpoint.requests


@attack("N08")
async def test_a_body_above_the_limit_is_refused_unread() -> None:
    async with bench(body_limit=10_000) as b:
        assert (await b.post(b"x" * 10_001)).status == 413


@attack("N08")
async def test_a_body_that_unpacks_above_the_limit_is_refused() -> None:
    async with bench(body_limit=10_000) as b:
        chunked = b"".join(b"3e8\r\n" + b"x" * 1000 + b"\r\n" for _ in range(20)) + b"0\r\n\r\n"
        raw = request(MESSAGES, "transfer-encoding: chunked", body=b"")
        raw = raw.replace(b"content-length: 0\r\n", b"")
        assert status(await b.raw(raw + chunked)) == 413


async def refuse_often(b: Bench, times: int) -> list[int]:
    return [(await b.post(ask(), authorization="Bearer no")).status for _ in range(times)]


async def test_after_twenty_refusals_in_a_row_the_connection_is_closed_unread() -> None:
    async with bench() as b:
        assert await refuse_often(b, 20) == [403] * 20
        assert await b.raw(request(MESSAGES)) == b""
        assert not b.endpoint.requests


async def test_a_call_that_is_let_through_forgives_earlier_refusals() -> None:
    async with bench() as b:
        await refuse_often(b, 19)
        assert (await b.post(ask())).status == 200
        assert await refuse_often(b, 19) == [403] * 19


async def test_a_run_that_is_opened_again_starts_with_no_refusals() -> None:
    async with bench() as b:
        await refuse_often(b, 20)
        await b.gateway.open(RunId("abcde.1"), b.socket, RUN_KEY)
        assert (await b.post(ask())).status == 200


async def test_a_loop_of_calls_is_stopped() -> None:
    async with bench(calls_per_minute=5) as b:
        answers = [await b.post(ask(max_tokens=1)) for _ in range(6)]
        assert [a.status for a in answers] == [200] * 5 + [402]


@attack("N08")
async def test_a_request_that_never_ends_blocks_no_other() -> None:
    async with bench() as b:
        _, writer = await asyncio.open_unix_connection(str(b.socket))
        writer.write(request(MESSAGES)[:-5])
        await writer.drain()
        assert (await b.post(ask())).status == 200
        writer.close()


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"mcp_servers": [{"type": "url", "url": "https://evil.example", "name": "x"}]},
    ],
)
@attack("N07")
async def test_a_way_out_through_the_provider_is_refused(more: dict[str, Any]) -> None:
    async with bench() as b:
        assert (await b.post(ask(**more))).status == 403
        assert not b.endpoint.requests


@attack("N08")
async def test_one_run_cannot_use_up_the_connections_of_all() -> None:
    async with bench(connections=8) as b:
        there = [await asyncio.open_unix_connection(str(b.socket)) for _ in range(12)]
        await asyncio.sleep(0.05)
        closed = [reader.at_eof() or reader.exception() is not None for reader, _ in there]
        assert sum(closed) == 4
        for _, writer in there:
            writer.close()


async def test_calls_beyond_those_worked_on_wait_their_turn() -> None:
    async with bench(calls_at_once=2) as b:
        posts = [b.post(ask("[[usage output=5 delay=0.01]]")) for _ in range(6)]
        assert [a.status for a in await asyncio.gather(*posts)] == [200] * 6


@attack("N05")
async def test_the_key_of_a_run_that_is_over_opens_nothing() -> None:
    async with bench() as b:
        assert (await b.post(ask())).status == 200
        await b.gateway.close(RUN_ID)
        with pytest.raises(aiohttp.ClientConnectorError):
            await b.post(ask())
        # Nor does the next run's socket take it, wherever it lies.
        await b.gateway.open(RUN_ID, b.socket, "another-key")
        assert (await b.post(ask())).status == 403
        assert len(b.endpoint.calls) == 1


@attack("N05", "N09")
async def test_fifty_calls_at_once_at_the_end_of_a_budget_cost_no_more_than_it() -> None:
    budget = 30_000
    async with bench(budget=budget, sibling_wait=0.0) as b:
        asked = ask("[[usage input=100 output=1000]]", max_tokens=1000)
        answers = await asyncio.gather(*(b.post(asked) for _ in range(50)))
        let_through = [answer for answer in answers if answer.status == 200]
        spend = await b.settled(len(let_through))
        billed = sum(
            c.billed.input * 4 + c.billed.output * 20 for c in b.endpoint.calls if c.billed
        )
        assert 0 < len(let_through) < 50
        assert billed == spend.micros <= budget
        assert {answer.status for answer in answers} == {200, 402}


@attack("N08")
async def test_thousands_of_connections_stay_bounded_and_another_run_is_served() -> None:
    async with bench(connections=32) as b:
        other = b.socket.parent.parent / "fghij.1" / "gateway.sock"
        await b.database.write(add_run, RunId("fghij.1"), 1_000_000)
        await b.gateway.open(RunId("fghij.1"), other, RUN_KEY)
        held: list[asyncio.StreamWriter] = []
        for _ in range(2000):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_unix_connection(str(b.socket))
                writer.write(b"POST ")
                held.append(writer)
        runner = b.gateway._lines.of(RUN_ID)._runner
        assert runner is not None
        assert runner.server is not None
        while (
            len(runner.server.connections) > 32
        ):  # those that are cut leave in the loop's next rounds
            await asyncio.sleep(0)
        b.socket = other
        assert (await b.post(ask())).status == 200
        for writer in held:
            writer.close()


@attack("N07")
@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"type": "web_search"}]},
        {"tools": [{"type": "web_search_preview", "domains": ["evil.example"]}]},
        {"tools": [{"type": "mcp", "server_url": "https://evil.example"}]},
        {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]},
        {"tools": [{"type": "file_search", "vector_store_ids": ["vs"]}]},
        {"tools": [{"type": "image_generation"}]},
        {"tools": [{"type": "shell", "environment": {"type": "container_auto"}}]},
        {"tools": [{"type": "namespace", "tools": [{"type": "web_search"}]}]},
        {"input": [{"type": "additional_tools", "tools": [{"type": "web_search"}]}]},
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "https://evil.example"}]}]},
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_url": "https://evil.example"}]}]},
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file_1"}]}]},
        {"input": [{"type": "item_reference", "id": "msg_1"}]},
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"prompt": {"id": "pmpt_1"}},
        {"background": True},
        {"service_tier": "priority"},
    ],
)  # fmt: skip
async def test_no_way_out_through_responses(more: dict[str, Any]) -> None:
    body = {"model": "gpt-5.5", "input": "hello", "max_output_tokens": 100} | more
    async with bench() as b:
        assert (await b.post(body, path="/openai/v1/responses")).status == 403
        assert not b.endpoint.requests
        assert b.witness.refusals


@attack("N07")
@pytest.mark.parametrize(
    "more",
    [
        {"web_search_options": {}},
        {"plugins": [{"id": "web"}]},
        {"model": "gpt-5.5:online"},
        {"models": ["gpt-5.5", "dear-model"]},
        {"provider": {"order": ["dear"]}},
        {"tools": [{"type": "web_search"}]},
        {"n": 100},
        {"n": True},
        {"prediction": {"type": "content", "content": "x"}},
        {"audio": {"voice": "x", "format": "wav"}},
        {"modalities": ["text", "audio"]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://evil.example"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file_1"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": ""}}]}]},
    ],
)  # fmt: skip
async def test_no_way_out_through_chat_completions(more: dict[str, Any]) -> None:
    said = [{"role": "user", "content": "hello"}]
    body = {"model": "gpt-5.5", "messages": said, "max_completion_tokens": 100} | more
    async with bench() as b:
        assert (await b.post(body, path="/openai/v1/chat/completions")).status == 403
        assert not b.endpoint.requests


@attack("N13")
@pytest.mark.parametrize("path", [MESSAGES, "/openai/v1/responses", "/openai/v1/chat/completions"])
async def test_whatever_a_model_says_passes_unchanged_and_counts_for_nothing(path: str) -> None:
    fake = '"usage":{"input_tokens":0,"output_tokens":0,"prompt_tokens":0,"completion_tokens":0}}'
    said = json.dumps(f"\x1b]52;c;ZXZpbA==\x07\x1b[2J\ndata: [DONE]\n\ndata: {{{fake}\n\n")
    reply = b'data: {"text":' + said.encode() + b"}\n\n\x1b[31m raw \xff bytes\n\n"
    async with raw_upstream(http("200 OK", reply, content_type="text/event-stream")) as upstream:
        there = Upstream(name="u", url=upstream.url, dialects=("anthropic", "responses", "chat"))
        async with bench(upstreams=(there,)) as b:
            asked = {
                MESSAGES: ask(),
                "/openai/v1/responses": {"model": "gpt-5.5", "input": "x", "stream": True},
            }.get(path, {"model": "gpt-5.5", "messages": [], "stream": True})
            length = f"content-length: {len(json.dumps(asked))}"
            got = await b.raw(
                f"POST {path} HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {RUN_KEY}\r\n{length}\r\n\r\n".encode()
                + json.dumps(asked).encode()
            )
            assert reply in got
            # It never said that it was over, so it is not ended properly, and all that was held is charged.
            assert not got.endswith(b"0\r\n\r\n")
            await b.settled()
            assert [told.known for told in b.witness.spent] == ["held"]
