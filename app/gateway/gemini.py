"""The dialect of Google's Gemini API: routes, headers, errors. What its bodies may ask for is `gemini_body`."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from app.gateway import gemini_body
from app.gateway.dialects import Call, Objection, Route, key_of, read_json
from app.gateway.gemini_meter import GeminiMeter
from app.gateway.settings import DialectName
from harnesses.base import StopDialect

_STATUS: Final = {
    400: "INVALID_ARGUMENT",
    402: "RESOURCE_EXHAUSTED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
}
_STREAM: Final = "streamGenerateContent"


def _route(verb: str, *, metered: bool = True) -> Route:
    """The model stands in the path. A stream is served as events only, not as one long list."""
    path = f"/v1beta/models/{{model}}:{verb}"
    streams = verb == _STREAM
    return Route(
        method="POST",
        path=f"/gemini{path}",
        upstream=path,
        metered=metered,
        query="alt=sse" if streams else "",
        needs_query=streams,
    )


class Gemini:
    """`/gemini/v1beta/models/MODEL:generateContent`, streamed and whole, and the free count of tokens."""

    name: DialectName = "gemini"
    provider = "google"
    broken_off = b'data: {"'
    """Gemini CLI asks again for a reply that is no JSON in the end, and gives up where a connection is cut."""
    routes = (
        _route(_STREAM),
        _route("generateContent"),
        _route("countTokens", metered=False),
    )

    def key(self, headers: Mapping[str, str]) -> str:
        """The bearer token, else Google's own header; never the query."""
        return key_of(headers, "x-goog-api-key")

    def read(self, route: Route, body: bytes, bytes_per_token: int) -> Call | Objection:
        """Read a body; what is not clearly harmless and bounded is objected to."""
        asked = read_json(body)
        if isinstance(asked, Objection):
            return asked
        bounds = gemini_body.examine(asked, len(body), bytes_per_token)
        if isinstance(bounds, Objection):
            return bounds
        return Call(asked, route.model, bounds, streamed=route.needs_query)

    def write(self, call: Call, model: str, output: int) -> bytes:
        """The model is named by the address alone."""
        body: dict[str, Any] = {name: each for name, each in call.body.items() if name != "model"}
        if output < call.bounds.output or gemini_body.told_limit(body) is not None:
            body = gemini_body.limited(body, output)
        return msgspec.json.encode(body)

    def meter(self, call: Call, *, streamed: bool) -> GeminiMeter:
        return GeminiMeter(streamed=streamed)

    def sends(self, header: str) -> bool:
        # Not the project: an agent does not choose on whose bill it works.
        return header in ("accept", "user-agent", "x-goog-api-client")

    def returns(self, header: str) -> bool:
        return header in ("content-type", "content-length", "retry-after", "server-timing")

    def refusal(self, stop: StopDialect, status: int, why: str) -> tuple[int, bytes]:
        """Every agent that speaks this dialect stops at the status alone."""
        return status, self.error(status, why)

    def error(self, status: int, why: str) -> bytes:
        told = {"code": status, "message": why, "status": _STATUS.get(status, "INTERNAL")}
        return msgspec.json.encode({"error": told})
