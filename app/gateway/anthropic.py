"""The Anthropic Messages dialect: routes, headers, errors. What its bodies may ask for is `anthropic_body`."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from app.gateway import anthropic_body
from app.gateway.anthropic_meter import MessagesMeter
from app.gateway.dialects import (
    Call,
    Objection,
    Route,
    key_of,
    read_object,
)
from app.gateway.settings import DialectName
from harnesses.base import StopDialect

_KINDS: Final = {
    400: "invalid_request_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
}
_BETA: Final = "beta=true"
_SENT: Final = ("anthropic-", "x-stainless-", "x-claude-code-")
_RETURNED: Final = ("anthropic-ratelimit-",)


class Messages:
    """`/anthropic/v1/messages`, streamed and whole, and the free count of tokens."""

    name: DialectName = "anthropic"
    provider = "anthropic"
    broken_off = b""
    routes = (
        Route(
            method="POST",
            path="/anthropic/v1/messages",
            upstream="/v1/messages",
            metered=True,
            query=_BETA,
        ),
        Route(
            method="POST",
            path="/anthropic/v1/messages/count_tokens",
            upstream="/v1/messages/count_tokens",
            metered=False,
            query=_BETA,
        ),
    )

    def key(self, headers: Mapping[str, str]) -> str:
        """The bearer token, else the API key header."""
        return key_of(headers, "x-api-key")

    def read(self, route: Route, body: bytes, bytes_per_token: int) -> Call | Objection:
        """Read a body; what is not clearly harmless and bounded is objected to."""
        asked = read_object(body)
        if isinstance(asked, Objection):
            return asked
        found = anthropic_body.examine(asked, len(body), bytes_per_token, metered=route.metered)
        if isinstance(found, Objection):
            return found
        return Call(asked, asked["model"], found, streamed=asked.get("stream") is True)

    def write(self, call: Call, model: str, output: int) -> bytes:
        """Encoded again even when nothing changed, so that what was checked is what is sent."""
        changed: dict[str, Any] = {"model": model}
        if "max_tokens" in call.body:
            changed["max_tokens"] = output
        return msgspec.json.encode(call.body | changed)

    def meter(self, call: Call, *, streamed: bool) -> MessagesMeter:
        return MessagesMeter(streamed=streamed, long_cache=call.bounds.cache == "long")

    def sends(self, header: str) -> bool:
        return header.startswith(_SENT) or header in ("accept", "user-agent", "x-app")

    def returns(self, header: str) -> bool:
        return header.startswith(_RETURNED) or header in (
            "content-type",
            "content-length",
            "request-id",
            "retry-after",
            "x-should-retry",
        )

    def refusal(self, stop: StopDialect, status: int, why: str) -> tuple[int, bytes]:
        """Every agent that speaks this dialect stops at the status alone."""
        return status, self.error(status, why)

    def error(self, status: int, why: str) -> bytes:
        kind = _KINDS.get(status, "api_error")
        return msgspec.json.encode({"type": "error", "error": {"type": kind, "message": why}})
