"""The OpenAI Responses dialect, spoken by Codex."""

from typing import Any

import msgspec

from app.gateway.dialects import Call, Objection, Route, read_object
from app.gateway.openai import OpenAI
from app.gateway.openai_body import examine
from app.gateway.openai_meter import ResponsesMeter
from app.gateway.settings import DialectName

_LIMIT = "max_output_tokens"


class Responses(OpenAI):
    """`/openai/v1/responses`, streamed and whole."""

    name: DialectName = "responses"
    routes = (
        Route(method="POST", path="/openai/v1/responses", upstream="/v1/responses", metered=True),
    )

    def read(self, route: Route, body: bytes, bytes_per_token: int) -> Call | Objection:
        """Read a body; what is not clearly harmless and bounded is objected to."""
        asked = read_object(body)
        if isinstance(asked, Objection):
            return asked
        bounds = examine(asked, len(body), bytes_per_token, (_LIMIT,))
        if isinstance(bounds, Objection):
            return bounds
        return Call(asked, asked["model"], bounds, streamed=asked.get("stream") is True)

    def write(self, call: Call, model: str, output: int) -> bytes:
        """Encoded again even when nothing changed, so that what was checked is what is sent."""
        changed: dict[str, Any] = {"model": model}
        if output < call.bounds.output or call.body.get(_LIMIT) is not None:
            changed[_LIMIT] = output
        return msgspec.json.encode(call.body | changed)

    def meter(self, call: Call, *, streamed: bool) -> ResponsesMeter:
        return ResponsesMeter(streamed=streamed)
