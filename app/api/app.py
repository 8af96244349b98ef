"""The table of routes, and the two things every request goes through: the version check and the error map."""

import logging
from collections.abc import Awaitable, Callable

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import wire
from app.api.gate import Gate, demand, owner
from app.api.handlers import Handlers
from app.domain.errors import SwarmError
from app.domain.role import Role
from app.store.refusals import in_words
from app.supervisor.service import Service

Handler = Callable[[Request], Awaitable[Response]]
Entry = tuple[str, str, Handler, Role]
_VIEWER, _OPERATOR, _APPROVER, _ADMIN = Role.VIEWER, Role.OPERATOR, Role.APPROVER, Role.ADMIN

_log = logging.getLogger(__name__)
_STATUS = {
    "usage": 400,
    "config": 400,
    "not_allowed": 403,
    "not_found": 404,
    "not_now": 409,
    "needs_human": 409,
}


def routes(h: Handlers) -> list[Entry]:
    """Method, path, handler, and the least role of who may ask; verbs of runs have a role of their own each."""
    return [("GET", "/v1/hello", h.hello, _VIEWER), *_of_tasks(h), *_of_the_house(h)]


def _of_tasks(h: Handlers) -> list[Entry]:
    """Tasks, their runs, and what these ask."""
    return [
        ("POST", "/v1/tasks", h.submit, _OPERATOR),
        ("POST", "/v1/tasks/preview", h.preview, _OPERATOR),
        ("GET", "/v1/runs", h.board, _VIEWER),
        ("GET", "/v1/runs/{run}", h.detail, _VIEWER),
        ("GET", "/v1/runs/{run}/diff", h.diff, _VIEWER),
        ("GET", "/v1/runs/{run}/commits", h.commits, _VIEWER),
        ("GET", "/v1/runs/{run}/why", h.why, _VIEWER),
        ("GET", "/v1/runs/{run}/network", h.network, _VIEWER),
        ("GET", "/v1/runs/{run}/route", h.route, _VIEWER),
        ("GET", "/v1/runs/{run}/bundle", h.bundle, _VIEWER),
        ("GET", "/v1/runs/{run}/screen", h.screen, _VIEWER),
        ("POST", "/v1/runs/{run}/{verb}", h.act, _OPERATOR),
        ("GET", "/v1/approvals", h.inbox, _VIEWER),
        ("POST", "/v1/approvals/{approval}", h.answer, _APPROVER),
        ("GET", "/v1/approvals/{approval}/rule", h.rule, _VIEWER),
        ("GET", "/v1/events", h.events, _VIEWER),
    ]


def _of_the_house(h: Handlers) -> list[Entry]:
    """What all of them share: money, agents, hosts, the machine."""
    return [
        ("GET", "/v1/routes", h.routes, _VIEWER),
        ("GET", "/v1/models", h.models, _VIEWER),
        ("GET", "/v1/trash", h.trash, _VIEWER),
        ("POST", "/v1/sweep", h.sweep, _ADMIN),
        ("GET", "/v1/disk", h.disk, _VIEWER),
        ("GET", "/v1/costs", h.costs, _VIEWER),
        ("GET", "/v1/runs/{run}/reprice", h.reprice, _VIEWER),
        ("GET", "/v1/prices", h.prices, _VIEWER),
        ("POST", "/v1/prices", h.replace_prices, _ADMIN),
        ("POST", "/v1/prices/override", h.override_price, _ADMIN),
        ("GET", "/v1/image", h.image, _VIEWER),
        ("POST", "/v1/image", h.approve_image, _ADMIN),
        ("GET", "/v1/agents", h.agents, _VIEWER),
        ("GET", "/v1/doctor", h.doctor, _VIEWER),
        ("GET", "/v1/screen", h.look, _VIEWER),
        ("GET", "/v1/settings", h.settings, _ADMIN),
        ("POST", "/v1/notify/test", h.try_notices, _ADMIN),
        ("GET", "/v1/audit", h.audit, _VIEWER),
        ("GET", "/v1/hosts", h.hosts, _VIEWER),
        ("GET", "/v1/tokens", h.tokens, _ADMIN),
        ("POST", "/v1/tokens", h.add_token, _ADMIN),
        ("POST", "/v1/tokens/{token}/revoke", h.revoke_token, _ADMIN),
        ("POST", "/v1/shutdown", h.shutdown, _ADMIN),
    ]


_FOR_ALL = ("/v1/hello", "/v1/shutdown")
"""What a program of any version may ask: how else could it take the place of another?"""


def create_app(service: Service, gate: Gate = owner) -> Starlette:
    """The API of one supervisor, for everybody whom the gate lets in."""
    return Starlette(
        routes=[
            Route(path, _guarded(handler, least, gate), methods=[verb])
            for verb, path, handler, least in routes(Handlers(service))
        ]
    )


def _guarded(handler: Handler, least: Role, gate: Gate) -> Handler:
    """Refuse strangers and other protocol versions, and turn errors into `Problem` replies."""

    async def guarded(request: Request) -> Response:
        spoken = request.headers.get(wire.PROTOCOL_HEADER)
        if spoken not in (None, str(wire.PROTOCOL)) and request.url.path not in _FOR_ALL:
            return _problem(
                426,
                "unreachable",
                f"this supervisor speaks protocol {wire.PROTOCOL}, the caller {spoken}",
                "`swarm upgrade` puts the version that you have installed in charge.",
            )
        try:
            request.state.caller = await gate(request)
            demand(request, least)
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
