"""The table of routes, and the two things every request goes through: the version check and the error map."""

import logging
from collections.abc import Awaitable, Callable

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import wire
from app.api.handlers import Handlers
from app.domain.errors import SwarmError
from app.store.refusals import in_words
from app.supervisor.service import Service

Handler = Callable[[Request], Awaitable[Response]]

_log = logging.getLogger(__name__)
_STATUS = {"usage": 400, "config": 400, "not_found": 404, "not_now": 409, "needs_human": 409}


def create_app(service: Service) -> Starlette:
    """The local API of one supervisor."""
    h = Handlers(service)
    table: list[tuple[str, str, Handler]] = [
        ("GET", "/v1/hello", h.hello),
        ("POST", "/v1/tasks", h.submit),
        ("GET", "/v1/runs", h.board),
        ("GET", "/v1/runs/{run}", h.detail),
        ("GET", "/v1/runs/{run}/diff", h.diff),
        ("GET", "/v1/runs/{run}/why", h.why),
        ("GET", "/v1/runs/{run}/network", h.network),
        ("GET", "/v1/runs/{run}/route", h.route),
        ("GET", "/v1/runs/{run}/bundle", h.bundle),
        ("GET", "/v1/runs/{run}/screen", h.screen),
        ("GET", "/v1/routes", h.routes),
        ("GET", "/v1/models", h.models),
        ("POST", "/v1/runs/{run}/{verb}", h.act),
        ("GET", "/v1/approvals", h.inbox),
        ("POST", "/v1/approvals/{approval}", h.answer),
        ("GET", "/v1/approvals/{approval}/rule", h.rule),
        ("GET", "/v1/events", h.events),
        ("GET", "/v1/trash", h.trash),
        ("POST", "/v1/sweep", h.sweep),
        ("GET", "/v1/disk", h.disk),
        ("GET", "/v1/costs", h.costs),
        ("GET", "/v1/runs/{run}/reprice", h.reprice),
        ("GET", "/v1/prices", h.prices),
        ("POST", "/v1/prices", h.replace_prices),
        ("POST", "/v1/prices/override", h.override_price),
        ("GET", "/v1/image", h.image),
        ("POST", "/v1/image", h.approve_image),
        ("GET", "/v1/agents", h.agents),
        ("GET", "/v1/doctor", h.doctor),
        ("GET", "/v1/screen", h.look),
        ("GET", "/v1/settings", h.settings),
        ("POST", "/v1/notify/test", h.try_notices),
        ("GET", "/v1/audit", h.audit),
        ("POST", "/v1/shutdown", h.shutdown),
    ]
    return Starlette(
        routes=[Route(path, _guarded(handler), methods=[verb]) for verb, path, handler in table]
    )


def _guarded(handler: Handler) -> Handler:
    """Refuse other protocol versions, and turn errors into `Problem` replies."""

    async def guarded(request: Request) -> Response:
        spoken = request.headers.get(wire.PROTOCOL_HEADER)
        if spoken not in (None, str(wire.PROTOCOL)) and request.url.path != "/v1/hello":
            return _problem(
                426,
                "unreachable",
                f"this supervisor speaks protocol {wire.PROTOCOL}, the caller {spoken}",
                "Restart it with `swarm daemon down` and `swarm daemon up`.",
            )
        try:
            return await handler(request)
        except SwarmError as error:
            return _problem(_STATUS.get(error.kind, 500), error.kind, error.message, error.hint)
        except msgspec.MsgspecError as error:
            return _problem(400, "usage", f"the request is not of the form expected: {error}", "")
        except Exception as error:  # noqa: BLE001 - the process edge: a bug must not end the supervisor
            if known := in_words(error):
                return _problem(503, known.kind, known.message, known.hint)
            _log.exception("%s %s", request.method, request.url.path)
            what = f"{type(error).__name__}: {error}"
            return _problem(500, "error", f"the supervisor met a bug: {what}", "See its log.")

    return guarded


def _problem(status: int, kind: str, message: str, hint: str) -> Response:
    body = wire.encode(wire.Problem(kind=kind, message=message, hint=hint))
    return Response(body, status, media_type="application/json")
