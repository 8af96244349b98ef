"""A hostile agent at the run's socket: nothing but the served routes exists, and only with the run's key."""

import asyncio
import json
from typing import Any

import pytest

from app.domain.ids import RunId
from tests.support.model_endpoint import MESSAGES, RUN_KEY, Bench, ask, bench

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
async def test_any_other_target_does_not_exist(target: str) -> None:
    async with bench() as b:
        assert status(await b.raw(request(target))) == 404
        assert not b.endpoint.requests


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "HEAD"])
async def test_any_other_method_is_refused(method: str) -> None:
    async with bench() as b:
        assert status(await b.raw(request(MESSAGES, method=method))) in (400, 405)
        assert not b.endpoint.requests


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
async def test_a_wrong_key_is_refused_so_that_the_agent_stops(key: str) -> None:
    async with bench() as b:
        answer = await b.post(ask(), authorization=key)
        assert answer.status == 403
        assert answer.headers["x-should-retry"] == "false"
        assert not b.endpoint.requests


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
async def test_a_malformed_or_giant_head_never_reaches_the_provider(lines: tuple[str, ...]) -> None:
    async with bench() as b:
        reply = await b.raw(request(MESSAGES, *lines), wait=2)
        assert reply == b"" or 400 <= status(reply) < 500
        assert not b.endpoint.requests


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


async def test_a_body_above_the_limit_is_refused_unread() -> None:
    async with bench(body_limit=10_000) as b:
        assert (await b.post(b"x" * 10_001)).status == 413


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
async def test_a_way_out_through_the_provider_is_refused(more: dict[str, Any]) -> None:
    async with bench() as b:
        assert (await b.post(ask(**more))).status == 403
        assert not b.endpoint.requests


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
