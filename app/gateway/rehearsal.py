"""A scripted model endpoint on loopback: the demo, the tests and bug reports need no key and no network.

It speaks every dialect the gateway serves, streamed and whole, well enough for the real Claude Code, Codex,
opencode and Gemini CLI to work with their own tools. How to script it is told in `rehearsal_script`. By hand:

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
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml
from aiohttp import web

from app.domain.base import Value
from app.gateway.rehearsal_gemini import GeminiVoice
from app.gateway.rehearsal_script import Script, Tokens, Turn, cue
from app.gateway.rehearsal_voices import AnthropicVoice, ChatVoice, ResponsesVoice, Voice
from app.gateway.serving import cut_and_stop

_WITHHELD = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
_VOICES: Final[tuple[Voice, ...]] = (
    AnthropicVoice(),
    ResponsesVoice(),
    ChatVoice(),
    GeminiVoice(),
)
_FINISHES: Final = (b'"finish_reason": "', b'"finishReason": "')
_GIANT: Final = 12 * 1024**2


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
        return [seen for seen in self.requests if _voice(seen.path.partition("?")[0])]

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
        spoken = _voice(request.path)
        is_call = request.method == "POST" and spoken is not None
        voice = spoken or _VOICES[0]
        try:
            body = json.loads(raw) if raw else {}
            planned = cue(self.script, body)
        except ValueError as error:
            return _error(voice, 400, str(error))
        turn = self._after_faults(planned.name, planned.turn)
        usage = _limited(turn.usage, voice, body)
        known = self._note(request, raw, body, usage if is_call and _bills(turn) else None)
        if not known:
            return _error(voice, 401, f"invalid x-api-key: {_key_of(request)}")
        if request.path.endswith(("/count_tokens", ":countTokens")):
            counted = -(-len(raw) // 4)
            return web.json_response({"input_tokens": counted, "totalTokens": counted})
        if not is_call:
            return _error(voice, 404, "Not found")
        return await _play(request, voice, turn, usage, body)

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


def _voice(path: str) -> Voice | None:
    return next((voice for voice in _VOICES if voice.serves(path)), None)


async def _play(
    request: web.BaseRequest, voice: Voice, turn: Turn, usage: Tokens, body: dict[str, Any]
) -> web.StreamResponse:
    kind = turn.fault.kind if turn.fault else ""
    await asyncio.sleep(turn.delay)
    if turn.fault and kind.isdigit():
        return _error(voice, int(kind), "scripted", turn.fault.retry_after)
    if kind == "hang_before":
        await asyncio.Event().wait()
    if kind == "cut_before":
        return _reset(request)
    if kind == "html":
        return web.Response(text="<html>Please sign in</html>", content_type="text/html")
    if not voice.streams(request.path, body):
        return _reset(request) if kind else web.json_response(voice.whole(turn, usage, body))
    return await _stream(request, kind, list(voice.frames(turn, usage, body)))


async def _stream(request: web.BaseRequest, kind: str, frames: list[bytes]) -> web.StreamResponse:
    reply = web.StreamResponse(
        headers={"content-type": "text/event-stream; charset=utf-8", "request-id": "req_scripted"}
    )
    await reply.prepare(request)
    half = len(frames) // 2
    if kind == "unfinished":
        frames = [frame for frame in frames if not any(word in frame for word in _FINISHES)]
    if kind == "giant":
        frames.insert(half, b"data: " + b"x" * _GIANT + b"\n\n")
    until = {"cut_start": 1, "cut": half, "end": half, "hang": half}.get(kind, len(frames))
    for frame in frames[:until]:
        await reply.write(frame)
    if kind == "hang":
        await asyncio.Event().wait()
    if kind in ("cut_start", "cut"):
        await asyncio.sleep(0.02)  # Lets the bytes leave before the reset throws them away.
        return _reset(request, reply)
    return reply


def _limited(usage: Tokens, voice: Voice, body: Mapping[str, Any]) -> Tokens:
    """No model writes more than it was allowed to."""
    limits = [limit for limit in voice.limits(body) if isinstance(limit, int)]
    return msgspec.structs.replace(usage, output=min([usage.output, *limits]))


def _bills(turn: Turn) -> bool:
    return turn.fault is None or not (turn.fault.kind.isdigit() or turn.fault.kind == "html")


def _key_of(request: web.BaseRequest) -> str:
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    named = (request.headers[name] for name in _WITHHELD[1:] if name in request.headers)
    return next(named, bearer)


def _error(voice: Voice, status: int, message: str, retry_after: int | None = None) -> web.Response:
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return web.json_response(voice.error(status, message), status=status, headers=headers)


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
