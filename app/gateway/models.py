"""The list of models, in a form that clients of every dialect read. Answered here: no provider is asked."""

from typing import Any, Final

import msgspec
from aiohttp import HttpVersion11, web

from app.gateway.line import Caller
from app.gateway.parts import Parts

PATHS: Final = frozenset(
    {"/v1/models", "/anthropic/v1/models", "/openai/v1/models", "/gemini/v1beta/models"}
)


def asked(request: web.BaseRequest) -> bool:
    """Whether that is what a request wants."""
    return (
        request.method == "GET"
        and request.version == HttpVersion11
        and request.raw_path.partition("?")[0] in PATHS
    )


def reply(caller: Caller, parts: Parts) -> web.Response:
    """The run's own model first, then those that the configuration names."""
    own = [caller.model] if caller.model else []
    named = [*parts.upstreams.named(), *sorted(parts.settings.prices)]
    ids = list(dict.fromkeys([*own, *named]))
    document = {
        "object": "list",
        "data": [_model(id_) for id_ in ids],
        "models": [{"name": f"models/{id_}", "displayName": id_} for id_ in ids],
        "has_more": False,
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
    }
    return web.Response(
        body=msgspec.json.encode(document), headers={"content-type": "application/json"}
    )


def _model(id_: str) -> dict[str, Any]:
    return {
        "id": id_,
        "object": "model",
        "type": "model",
        "display_name": id_,
        "created": 0,
        "created_at": "1970-01-01T00:00:00Z",
        "owned_by": "swarm",
    }
