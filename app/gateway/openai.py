"""What the two OpenAI dialects share: keys, headers, and the errors by which their agents stop."""

from collections.abc import Mapping
from typing import Final

import msgspec

from app.gateway.dialects import key_of
from harnesses.base import StopDialect

BUDGET: Final = 402
_SENT: Final = ("x-stainless-", "x-codex-", "x-openai-", "x-session-")
_SENT_TOO: Final = frozenset(
    {
        "accept",
        "user-agent",
        "openai-beta",
        "originator",
        "session-id",
        "session_id",
        "thread-id",
        "x-client-request-id",
        "http-referer",
        "x-title",
    }
)
_RETURNED: Final = ("x-ratelimit-",)
_RETURNED_TOO: Final = frozenset(
    {
        "content-type",
        "content-length",
        "x-request-id",
        "openai-processing-ms",
        "openai-model",
        "openai-version",
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
    }
)


class OpenAI:
    """The parts of a dialect that Responses and Chat Completions have in common."""

    provider = "openai"
    broken_off = b""

    def key(self, headers: Mapping[str, str]) -> str:
        """The bearer token, else the header of Azure's clients."""
        return key_of(headers, "api-key")

    def sends(self, header: str) -> bool:
        # Not the organisation or the project: an agent does not choose on whose bill it works.
        return header.startswith(_SENT) or header in _SENT_TOO

    def returns(self, header: str) -> bool:
        return header.startswith(_RETURNED) or header in _RETURNED_TOO

    def refusal(self, stop: StopDialect, status: int, why: str) -> tuple[int, bytes]:
        """Measured on the real agents: what each of them takes as final after one request."""
        match stop:
            case "codex" if status == BUDGET:
                return 429, _error("insufficient_quota", "insufficient_quota", why)
            case "codex":
                return 400, _error("invalid_request_error", "refused", why)
            case "litellm" if status == BUDGET:
                # Its stock command line tries anything else again for minutes.
                return 404, _error("invalid_request_error", "budget_exhausted", why)
            case "openai" | "litellm" | "anthropic" | "gemini":
                code = "budget_exhausted" if status == BUDGET else "refused"
                return status, _error("invalid_request_error", code, why)

    def error(self, status: int, why: str) -> bytes:
        """Without the words that make agents try again: only `failed` replies may be tried again."""
        kind = "api_error" if status >= 500 else "invalid_request_error"
        return _error(kind, None, why)


def _error(kind: str, code: str | None, why: str) -> bytes:
    return msgspec.json.encode(
        {"error": {"message": why, "type": kind, "param": None, "code": code}}
    )
