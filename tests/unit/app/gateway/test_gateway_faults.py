"""What goes wrong on the way: cut replies, vanished agents, kills. No charge is ever below what was billed."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from app.gateway.gemini import Gemini
from app.gateway.rehearsal import Rehearsal
from app.gateway.rehearsal_script import FaultKind
from app.gateway.settings import DialectName, Upstream
from tests.support.attacks import attack
from tests.support.model_endpoint import (
    EVERY,
    MESSAGES,
    REAL_KEY,
    RUN_ID,
    RUN_KEY,
    Bench,
    ask,
    asking,
    bench,
    http,
    raw_upstream,
)


def billed(b: Bench) -> int:
    """What the scripted provider charges for the calls it saw, at the model's plain rates."""
    usages = [call.billed for call in b.endpoint.calls if call.billed is not None]
    return sum(usage.input * 4 + usage.output * 20 for usage in usages)


async def post_anyhow(b: Bench, text: str) -> bytes | None:
    """The body; None when the connection was cut."""
    try:
        return (await b.post(ask(text))).body
    except aiohttp.ClientError:
        return None


@pytest.mark.parametrize("fault", ["cut_before", "cut_start", "cut"])
async def test_a_cut_reply_is_charged_at_least_what_was_billed(fault: FaultKind) -> None:
    async with bench() as b:
        await post_anyhow(b, f"[[usage input=20 output=900 fault={fault}]]")
        spend = await b.settled()
        assert spend.micros >= billed(b) > 0
        assert [s.known for s in b.witness.spent] == ["held"]


@pytest.mark.parametrize("fault", ["cut_start", "cut"])
async def test_a_cut_reply_never_ends_as_if_it_were_whole(fault: FaultKind) -> None:
    async with bench() as b:
        assert await post_anyhow(b, f"[[usage output=900 fault={fault}]]") is None


async def test_a_clean_end_without_the_final_usage_is_cut_for_the_agent() -> None:
    half = b'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":5}}}\n\n'
    async with raw_upstream(http("200 OK", half, content_type="text/event-stream")) as upstream:
        there = Upstream(name="anthropic", url=upstream.url)
        async with bench(upstreams=(there,)) as b:
            assert await post_anyhow(b, "x") is None
            assert (await b.settled()).micros >= 20_000


async def test_a_whole_reply_without_usage_is_charged_in_full() -> None:
    async with raw_upstream(http("200 OK", b"{}", content_type="application/json")) as upstream:
        there = Upstream(name="anthropic", url=upstream.url)
        async with bench(upstreams=(there,)) as b:
            await post_anyhow(b, "x")
            assert (await b.settled()).micros >= 20_000


async def test_a_provider_that_cannot_be_reached_costs_nothing() -> None:
    there = Upstream(name="anthropic", url="http://127.0.0.1:1")
    async with bench(upstreams=(there,)) as b:
        assert (await b.post(ask())).status == 502
        spend = await b.spend()
        assert (spend.micros, spend.held, spend.calls) == (0, 0, 0)


@pytest.mark.parametrize("status", [429, 500, 529])
async def test_a_providers_refusal_passes_and_costs_nothing(status: int) -> None:
    async with bench() as b:
        answer = await b.post(ask(f"[[usage fault={status}]]"))
        assert answer.status == status
        assert answer.json["error"]["message"] == "scripted"
        spend = await b.spend()
        assert (spend.micros, spend.held, len(b.endpoint.calls)) == (0, 0, 1)


async def test_a_providers_advice_when_to_retry_passes() -> None:
    async with raw_upstream(http("429 Too Many Requests", b"{}", retry_after="7")) as upstream:
        there = Upstream(name="anthropic", url=upstream.url)
        async with bench(upstreams=(there,)) as b:
            assert (await b.post(ask())).headers["retry-after"] == "7"


@attack("N06")
async def test_a_redirect_is_not_followed() -> None:
    reply = http("307 Temporary Redirect", b"", location="http://169.254.169.254/")
    async with raw_upstream(reply) as upstream:
        there = Upstream(name="anthropic", url=upstream.url)
        async with bench(upstreams=(there,)) as b:
            answer = await b.post(ask())
            assert answer.status == 502
            assert "location" not in answer.headers
            assert len(upstream.received) == 1


@attack("N11")
async def test_a_key_in_a_providers_error_is_withheld(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(REAL_KEY)
    echo = f'{{"error": "bad request from {REAL_KEY}"}}'.encode()
    async with raw_upstream(http("400 Bad Request", echo, request_id=REAL_KEY)) as upstream:
        there = Upstream(name="anthropic", url=upstream.url, key=f"file:{tmp_path / 'key'}")
        async with bench(upstreams=(there,)) as b:
            answer = await b.post(ask())
            assert answer.status == 400
            assert REAL_KEY not in answer.body.decode() + str(answer.headers)


@attack("N11")
@pytest.mark.parametrize("cut", [0, 1, 7, len(REAL_KEY)])
async def test_a_key_amid_a_reply_is_withheld_however_it_is_cut(tmp_path: Path, cut: int) -> None:
    (tmp_path / "key").write_text(REAL_KEY)
    error = f'event: error\ndata: {{"type":"error","message":"bad {REAL_KEY}"}}\n\n'.encode()
    at = error.index(REAL_KEY.encode()) + cut
    async with in_pieces(error[:at], error[at:], request_id=REAL_KEY) as url:
        there = Upstream(name="anthropic", url=url, key=f"file:{tmp_path / 'key'}")
        async with bench(upstreams=(there,)) as b:
            body = json.dumps(ask()).encode()
            head = f"POST {MESSAGES} HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {RUN_KEY}\r\n"
            got = await b.raw(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            assert b'"message":"bad' in got
            assert REAL_KEY.encode() not in got
            assert got.count(b"*" * len(REAL_KEY)) == 1
            await b.settled()


@contextlib.asynccontextmanager
async def in_pieces(*pieces: bytes, **headers: str) -> AsyncIterator[str]:
    """A provider that streams these one after another, and stops."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        said = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = (
            f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{said}connection: close\r\n\r\n"
        )
        writer.write(head.encode())
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            # Long enough for the other side to read this piece by itself.
            await asyncio.sleep(0.01)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@attack("N11")
async def test_a_wrong_real_key_stops_the_agent_and_names_the_setting() -> None:
    async with bench(key="another-key") as b:
        answer = await b.post(ask())
        assert answer.status == 403
        assert answer.headers["x-should-retry"] == "false"
        assert "gateway.upstreams.anthropic.key" in answer.json["error"]["message"]
        assert REAL_KEY not in answer.body.decode()


@attack("N11")
async def test_the_real_key_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with bench() as b:
        for text in (
            "x",
            "[[usage fault=500]]",
            "[[usage fault=cut]]",
            "[[usage fault=cut_before]]",
        ):
            await post_anyhow(b, text)
        await b.post(b"nonsense")
    assert REAL_KEY not in caplog.text
    assert RUN_KEY not in caplog.text


async def send_and_leave(b: Bench, text: str) -> asyncio.StreamWriter:
    """An agent that has sent its request and can vanish."""
    reader, writer = await asyncio.open_unix_connection(str(b.socket))
    body = str(ask(text)).replace("'", '"').replace("True", "true").encode()
    head = f"POST {MESSAGES} HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {RUN_KEY}\r\n"
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    while not b.endpoint.calls:
        await asyncio.sleep(0.01)
    del reader
    return writer


async def test_a_call_whose_agent_is_gone_is_read_on_for_its_exact_usage() -> None:
    async with bench() as b:
        writer = await send_and_leave(b, "[[usage input=20 output=30 delay=0.3]]")
        writer.transport.abort()
        assert (await b.settled()).micros == billed(b)
        assert [s.known for s in b.witness.spent] == ["metered"]


async def test_reading_on_ends_and_then_the_whole_hold_is_charged() -> None:
    async with bench(drain=0.05) as b:
        writer = await send_and_leave(b, "[[usage input=20 output=30 fault=hang]]")
        writer.transport.abort()
        spend = await b.settled()
        assert spend.micros >= 20_000
        assert [s.known for s in b.witness.spent] == ["held"]


async def test_closing_a_run_cuts_its_reply_and_still_finds_out_the_cost() -> None:
    async with bench() as b:
        post = asyncio.create_task(post_anyhow(b, "[[usage input=20 output=30 delay=0.3]]"))
        while not b.endpoint.calls:
            await asyncio.sleep(0.01)
        await b.gateway.close(RUN_ID)
        assert await post is None
        assert (await b.settled()).micros == billed(b)


async def test_closing_the_gateway_charges_calls_under_way_in_full() -> None:
    async with bench() as b:
        post = asyncio.create_task(post_anyhow(b, "[[usage fault=hang]]"))
        while not b.endpoint.calls:
            await asyncio.sleep(0.01)
        await b.gateway.aclose()
        assert await post is None
        spend = await b.spend()
        assert spend.held == 0
        assert spend.micros >= 20_000


BROKEN_OFF = Gemini.broken_off
"""How a stream ends that broke off, in the one dialect whose agent takes a cut connection for final."""
each_dialect = pytest.mark.parametrize("path", EVERY)


@each_dialect
@pytest.mark.parametrize(
    ("fault", "is_whole"),
    [("cut_start", False), ("cut", False), ("end", False), ("giant", True)],
)
async def test_what_goes_wrong_amid_a_reply_has_one_outcome_in_every_dialect(
    path: str, fault: FaultKind, is_whole: bool
) -> None:
    async with bench() as b:
        body = asking(path, f"[[usage input=20 output=100 fault={fault}]]")
        whole = True
        try:
            answer = await b.post(body, path=path)
            whole = not answer.body.endswith(BROKEN_OFF)
        except aiohttp.ClientError:
            whole = False
        spend = await b.settled()
        assert whole == is_whole
        assert [told.known for told in b.witness.spent] == ["metered" if is_whole else "held"]
        assert spend.held == 0
        await nobody_connected(b)


@each_dialect
async def test_a_web_page_instead_of_a_reply_stops_the_agent_and_names_the_address(
    path: str,
) -> None:
    async with bench() as b:
        answer = await b.post(asking(path, "[[usage fault=html]]"), path=path)
        assert answer.status == 403
        assert "gateway.upstreams.anthropic.url" in answer.json["error"]["message"]
        # Whoever sent the page may have asked the provider before.
        assert [told.known for told in b.witness.spent] == ["held"]


@each_dialect
async def test_a_provider_that_falls_silent_is_cut_and_charged_in_full(path: str) -> None:
    async with Rehearsal() as endpoint:
        dialects: tuple[DialectName, ...] = ("anthropic", "responses", "chat", "gemini")
        there = Upstream(name="u", url=endpoint.url, dialects=dialects, timeout=0.3)
        async with bench(upstreams=(there,)) as b:
            with contextlib.suppress(aiohttp.ClientError):
                answer = await b.post(asking(path, "[[usage output=100 fault=hang]]"), path=path)
                assert answer.body.endswith(BROKEN_OFF)
            assert (await b.settled()).held == 0
            assert [told.known for told in b.witness.spent] == ["held"]
            await nobody_connected(b)


@each_dialect
async def test_an_agent_that_hangs_up_leaves_nothing_open(path: str) -> None:
    async with bench(drain=0.1) as b:
        body = json.dumps(asking(path, "[[usage output=100 fault=hang]]")).encode()
        _, writer = await asyncio.open_unix_connection(str(b.socket))
        head = f"POST {path} HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {RUN_KEY}\r\n"
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        while not b.endpoint.calls:
            await asyncio.sleep(0.01)
        writer.close()
        assert (await b.settled()).held == 0
        await nobody_connected(b)


async def nobody_connected(b: Bench) -> None:
    """Wait until no connection is left on either side of the gateway; the test's own limit ends it."""
    runner = b.gateway._lines.of(RUN_ID)._runner
    session = b.gateway._parts.upstreams._session
    assert runner is not None
    assert runner.server is not None
    while runner.server.connections or (session and session.connector._acquired):  # type: ignore[union-attr]
        await asyncio.sleep(0.01)
