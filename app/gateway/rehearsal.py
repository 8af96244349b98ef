"""A scripted model endpoint on loopback: the demo, the tests and bug reports need no key and no network.

It speaks the Anthropic Messages dialect, streamed and whole, well enough for the real Claude Code to work
with its own tools. How to script it is told in `rehearsal_script`. By hand:

    python -m app.gateway.rehearsal PLAN.yaml --port 0
"""

import argparse
import asyncio
import json
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml
from aiohttp import web

from app.domain.base import Value
from app.gateway.rehearsal_script import Script, Tokens, Turn, cue
from app.gateway.serving import cut_and_stop

_WITHHELD = ("authorization", "x-api-key")


class Seen(Value, frozen=True, kw_only=True):
    """A request that arrived."""

    method: str
    path: str
    """With its query."""
    headers: Mapping[str, str]
    """Names in lower case; values of keys replaced."""
    authorized: bool
    """Whether it carried the endpoint's key."""
    body: Mapping[str, Any]
    size: int
    at: float
    billed: Tokens | None
    """What a provider would charge for, whether or not the reply arrives; None for an error."""


class Rehearsal:
    """`async with Rehearsal(script, key="sk-…") as r:` serves at `r.url` and keeps what it saw in `r.requests`."""

    def __init__(self, script: Script | None = None, *, key: str = "", port: int = 0) -> None:
        self.script = script or Script()
        self.requests: list[Seen] = []
        self._key = key
        self._port = port
        self._faults: Counter[str] = Counter()
        self._runner: web.ServerRunner | None = None

    @property
    def url(self) -> str:
        """The base address, without the dialect's path."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def calls(self) -> list[Seen]:
        """The model calls among the requests."""
        return [seen for seen in self.requests if seen.path.partition("?")[0] == "/v1/messages"]

    async def __aenter__(self) -> "Rehearsal":
        server = web.Server(self._handle, access_log=None, handler_cancellation=True)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._runner is not None:
            await cut_and_stop(self._runner)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        raw = await _read(request)
        try:
            body = json.loads(raw) if raw else {}
            planned = cue(self.script, body)
        except ValueError as error:
            return _error(400, "invalid_request_error", str(error))
        turn = self._after_faults(planned.name, planned.turn)
        usage = _limited(turn.usage, body.get("max_tokens"))
        is_call = request.path == "/v1/messages" and request.method == "POST"
        known = self._note(request, raw, body, usage if is_call and _bills(turn) else None)
        if not known:
            return _error(401, "authentication_error", f"invalid x-api-key: {_key_of(request)}")
        if request.path == "/v1/messages/count_tokens":
            return web.json_response({"input_tokens": -(-len(raw) // 4)})
        if not is_call:
            return _error(404, "not_found_error", "Not found")
        return await _play(request, turn, usage, body)

    def _after_faults(self, name: str, turn: Turn) -> Turn:
        """The turn, without its fault once that has happened often enough."""
        if turn.fault is None or not turn.fault.times:
            return turn
        self._faults[name] += 1
        over = self._faults[name] > turn.fault.times
        return msgspec.structs.replace(turn, fault=None) if over else turn

    def _note(
        self, request: web.BaseRequest, raw: bytes, body: dict[str, Any], billed: Tokens | None
    ) -> bool:
        known = not self._key or _key_of(request) == self._key
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append(
            Seen(
                method=request.method,
                path=request.raw_path,
                headers=headers | {name: "…" for name in _WITHHELD if name in headers},
                authorized=known,
                body=body,
                size=len(raw),
                at=time.time(),
                billed=billed if known else None,
            )
        )
        return known


async def _play(
    request: web.BaseRequest, turn: Turn, usage: Tokens, body: dict[str, Any]
) -> web.StreamResponse:
    kind = turn.fault.kind if turn.fault else ""
    await asyncio.sleep(turn.delay)
    if kind.isdigit():
        return _error(int(kind), "rate_limit_error" if kind == "429" else "api_error", "scripted")
    if kind == "hang_before":
        await asyncio.Event().wait()
    if kind == "cut_before":
        return _reset(request)
    events = list(_events(turn, usage, body))
    if not body.get("stream"):
        return _reset(request) if kind else web.json_response(_whole(turn, usage, body))
    reply = web.StreamResponse(
        headers={"content-type": "text/event-stream; charset=utf-8", "request-id": "req_scripted"}
    )
    await reply.prepare(request)
    until = {"cut_start": 1, "cut": len(events) // 2, "hang": len(events) // 2}.get(
        kind, len(events)
    )
    for event in events[:until]:
        await reply.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
    if kind == "hang":
        await asyncio.Event().wait()
    if kind:
        await asyncio.sleep(0.02)  # Lets the bytes leave before the reset throws them away.
        return _reset(request, reply)
    return reply


def _whole(turn: Turn, usage: Tokens, body: Mapping[str, Any]) -> dict[str, Any]:
    """The message as one JSON document."""
    content: list[dict[str, Any]] = [{"type": "text", "text": turn.say}] if turn.say else []
    for number, use in enumerate(turn.use):
        block = {"type": "tool_use", "id": _tool_id(body, number), "name": use.tool}
        content.append({**block, "input": dict(use.input)})
    cut_short = turn.usage.output > usage.output
    return {
        "id": f"msg_scripted_{len(body.get('messages', ()))}",
        "type": "message",
        "role": "assistant",
        "model": body.get("model", ""),
        "content": content,
        "stop_reason": "max_tokens" if cut_short else "tool_use" if turn.use else "end_turn",
        "stop_sequence": None,
        "usage": _told(usage),
    }


def _events(turn: Turn, usage: Tokens, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The same message as the events of a stream."""
    whole = _whole(turn, usage, body)
    start = whole | {
        "content": [],
        "stop_reason": None,
        "usage": _told(usage) | {"output_tokens": 1},
    }
    yield {"type": "message_start", "message": start}
    yield {"type": "ping"}
    for index, block in enumerate(whole["content"]):
        is_text = block["type"] == "text"
        empty = {"type": "text", "text": ""} if is_text else block | {"input": {}}
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for piece in _pieces(block["text"] if is_text else json.dumps(block["input"])):
            delta = (
                {"type": "text_delta", "text": piece}
                if is_text
                else {"type": "input_json_delta", "partial_json": piece}
            )
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    end: dict[str, Any] = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": end, "usage": {"output_tokens": usage.output}}
    yield {"type": "message_stop"}


def _pieces(text: str, size: int = 24) -> Iterator[str]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


def _told(usage: Tokens) -> dict[str, Any]:
    return {
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write,
            "ephemeral_1h_input_tokens": 0,
        },
        "service_tier": "standard",
    }


def _limited(usage: Tokens, limit: object) -> Tokens:
    """No model writes more than it was allowed to."""
    if not isinstance(limit, int) or usage.output <= limit:
        return usage
    return msgspec.structs.replace(usage, output=limit)


def _bills(turn: Turn) -> bool:
    return turn.fault is None or not turn.fault.kind.isdigit()


def _tool_id(body: Mapping[str, Any], number: int) -> str:
    return f"toolu_scripted_{len(body.get('messages', ()))}_{number}"


def _key_of(request: web.BaseRequest) -> str:
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    return request.headers.get("x-api-key", bearer)


def _error(status: int, kind: str, message: str) -> web.Response:
    return web.json_response(
        {"type": "error", "error": {"type": kind, "message": message}}, status=status
    )


def _reset(request: web.BaseRequest, reply: web.StreamResponse | None = None) -> web.StreamResponse:
    """Cut the connection the hard way: the other side gets a reset, not an end."""
    if request.transport is not None:
        if (sock := request.transport.get_extra_info("socket")) is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return reply or web.Response()


async def _read(request: web.BaseRequest) -> bytes:
    return b"".join([chunk async for chunk in request.content.iter_any()])


def load(text: str) -> Script:
    """A plan file. Raises `ValueError` that says where it is wrong."""
    try:
        return msgspec.convert(yaml.safe_load(text) or {}, Script)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise ValueError(str(error)) from error


async def _serve(script: Script, port: int) -> None:
    async with Rehearsal(script, port=port) as rehearsal:
        sys.stdout.write(f"{rehearsal.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """Serve a plan file until interrupted; the first line of output is the address."""
    parser = argparse.ArgumentParser(prog="python -m app.gateway.rehearsal")
    parser.add_argument("plan", type=Path, nargs="?", help="YAML file with plans")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    options = parser.parse_args()
    script = load(options.plan.read_text()) if options.plan else Script()
    try:
        asyncio.run(_serve(script, options.port))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
