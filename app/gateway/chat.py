"""The OpenAI Chat Completions dialect, spoken by opencode, local servers and most of the rest."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.gateway.dialects import Call, Objection, Route, read_object
from app.gateway.openai import OpenAI
from app.gateway.openai_body import examine
from app.gateway.openai_meter import ChatMeter
from app.gateway.settings import DialectName

_LIMITS = ("max_completion_tokens", "max_tokens")
"""The newer name first; it is added where a request has neither and must be cut short."""


class Chat(OpenAI):
    """`/openai/v1/chat/completions`, streamed and whole."""

    name: DialectName = "chat"
    routes = (
        Route(
            method="POST",
            path="/openai/v1/chat/completions",
            upstream="/v1/chat/completions",
            metered=True,
        ),
    )

    def read(self, route: Route, body: bytes, bytes_per_token: int) -> Call | Objection:
        """Read a body; what is not clearly harmless and bounded is objected to."""
        asked = read_object(body)
        if isinstance(asked, Objection):
            return asked
        bounds = examine(asked, len(body), bytes_per_token, _LIMITS)
        if isinstance(bounds, Objection):
            return bounds
        return Call(asked, asked["model"], bounds, streamed=asked.get("stream") is True)

    def write(self, call: Call, model: str, output: int) -> bytes:
        """With its usage asked for, without which a stream tells none."""
        changed: dict[str, Any] = {"model": model}
        told = [name for name in _LIMITS if call.body.get(name) is not None]
        if not told and output < call.bounds.output:
            told = [_LIMITS[0]]
        changed |= {name: min(call.body.get(name) or output, output) for name in told}
        if call.body.get("stream"):
            options = call.body.get("stream_options")
            asked = options if isinstance(options, Mapping) else {}
            changed["stream_options"] = {**asked, "include_usage": True}
        return msgspec.json.encode(call.body | changed)

    def meter(self, call: Call, *, streamed: bool) -> ChatMeter:
        return ChatMeter(streamed=streamed)
