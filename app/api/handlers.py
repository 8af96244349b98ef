"""Parse, call the service, reply. No logic."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app import wire
from app.api.gate import demand, signed, widens
from app.api.stream import server_sent
from app.domain.errors import NotFound, UsageError
from app.domain.ids import ApprovalId, RunId
from app.domain.role import Role
from app.supervisor.service import PAST, Service

T = TypeVar("T")
Verb = tuple[Role, type[Any], Callable[[RunId, Any], Awaitable[object]]]
"""Who may at least, with which body, what is done."""


class Handlers:
    """One method per route."""

    def __init__(self, service: Service) -> None:
        self.service = service
        act = service.acts
        self.verbs: dict[str, Verb] = {
            "approve": (Role.APPROVER, wire.Approve, act.approve),
            "changes": (Role.OPERATOR, wire.Changes, act.changes),
            "tell": (Role.OPERATOR, wire.Tell, act.tell),
            "comments": (Role.OPERATOR, wire.NewComment, act.comment),
            "allow": (Role.APPROVER, wire.AllowHost, service.allow),
            "merge": (Role.APPROVER, wire.Act, act.merge),
            "undo": (Role.APPROVER, wire.Act, act.undo),
            "stop": (Role.OPERATOR, wire.Act, act.stop),
            "resume": (Role.OPERATOR, wire.Resume, act.resume),
            "retry": (Role.OPERATOR, wire.Retry, act.retry),
            "discard": (Role.OPERATOR, wire.Act, act.discard),
            "restore": (Role.OPERATOR, wire.Act, act.restore),
            "pick": (Role.OPERATOR, wire.Pick, service.pick),
            "attach": (Role.ADMIN, wire.Attach, service.hands.attach),
            "hand-back": (Role.ADMIN, wire.HandBack, service.hands.hand_back),
            "keys": (Role.ADMIN, wire.Keys, service.hands.press),
            "size": (Role.ADMIN, wire.Size, service.hands.resize),
        }

    async def hello(self, _request: Request) -> Response:
        return _json(self.service.hello())

    async def submit(self, request: Request) -> Response:
        return _json(await self.service.submit(await _body(request, wire.NewTask)))

    async def preview(self, request: Request) -> Response:
        return _json(await self.service.routing.preview(await _body(request, wire.NewTask)))

    async def board(self, request: Request) -> Response:
        query = request.query_params
        past = query.get("past", str(PAST))
        if not past.isdecimal():
            raise UsageError(f"past={past}: it is a whole number, of tasks that have landed")
        return _json(await self.service.board(query.get("repo", ""), int(past)))

    async def detail(self, request: Request) -> Response:
        return _json(await self.service.detail(await self._run(request)))

    async def diff(self, request: Request) -> Response:
        review = request.query_params.get("review") == "1"
        since = request.query_params.get("since", "")
        turn = request.query_params.get("turn", "0")
        if not turn.isdecimal():
            raise UsageError(f"turn={turn}: it is the number of a turn, a whole number")
        run = await self._run(request)
        diff = await self.service.diff(run, review=review, since=since, turn=int(turn))
        return Response(diff, media_type="text/x-diff")

    async def commits(self, request: Request) -> Response:
        return _json(await self.service.commits(await self._run(request)))

    async def why(self, request: Request) -> Response:
        return _json(await self.service.why(await self._run(request)))

    async def network(self, request: Request) -> Response:
        return _json(await self.service.network(await self._run(request)))

    async def act(self, request: Request) -> Response:
        name = request.path_params["verb"]
        if name not in self.verbs:
            raise NotFound(f"there is no verb {name!r} for runs")
        least, body_type, verb = self.verbs[name]
        demand(request, least)
        return _json(await verb(await self._run(request), await _body(request, body_type)))

    async def screen(self, request: Request) -> Response:
        screen = self.service.hands.screen(await self._run(request))
        return StreamingResponse(screen.watch(), media_type="application/octet-stream")

    async def inbox(self, _request: Request) -> Response:
        return _json(await self.service.inbox())

    async def answer(self, request: Request) -> Response:
        approval = ApprovalId(request.path_params["approval"])
        body = await _body(request, wire.Answer)
        return _json(await self.service.acts.answer(approval, body))

    async def rule(self, request: Request) -> Response:
        return _json(await self.service.rule(ApprovalId(request.path_params["approval"])))

    async def events(self, request: Request) -> Response:
        query = request.query_params
        run = await self.service.find(query["run"]) if query.get("run") else ""
        since = query.get("since") or request.headers.get("last-event-id") or "0"
        if not since.isdecimal():
            raise UsageError(f"since={since}: it is the number of an event, a whole number")
        events = self.service.follow(int(since), run, live=query.get("follow") != "0")
        return StreamingResponse(server_sent(events), media_type="text/event-stream")

    async def sweep(self, request: Request) -> Response:
        return _json(await self.service.upkeep.sweep(await _body(request, wire.Sweep)))

    async def disk(self, request: Request) -> Response:
        return _json(await self.service.upkeep.disk(request.query_params.get("repo", "")))

    async def trash(self, _request: Request) -> Response:
        return _json(await self.service.upkeep.trash())

    async def costs(self, request: Request) -> Response:
        query = request.query_params
        which = {name: query.get(name, "") for name in ("of", "since", "until")}
        return _json(await self.service.money.costs(query.get("by", "task"), **which))

    async def prices(self, request: Request) -> Response:
        return _json(self.service.money.prices(request.query_params.get("model", "")))

    async def replace_prices(self, request: Request) -> Response:
        return _json(await self.service.money.replace(await _body(request, wire.PriceFile)))

    async def override_price(self, request: Request) -> Response:
        return _json(await self.service.money.override(await _body(request, wire.PriceOverride)))

    async def reprice(self, request: Request) -> Response:
        model = request.query_params.get("model", "")
        return _json(await self.service.money.reprice(await self._run(request), model))

    async def route(self, request: Request) -> Response:
        return _json(await self.service.routing.explain(await self._run(request)))

    async def bundle(self, request: Request) -> Response:
        return _json(await self.service.routing.bundle(await self._run(request)))

    async def routes(self, _request: Request) -> Response:
        return _json(await self.service.routing.report())

    async def models(self, _request: Request) -> Response:
        return _json(await self.service.routing.models())

    async def agents(self, _request: Request) -> Response:
        return _json(await self.service.upkeep.agents())

    async def image(self, request: Request) -> Response:
        query = request.query_params
        return _json(await self.service.upkeep.image(query.get("repo", ""), query.get("base", "")))

    async def approve_image(self, request: Request) -> Response:
        body = await _body(request, wire.ApproveImage)
        return _json(await self.service.upkeep.approve_image(body))

    async def doctor(self, _request: Request) -> Response:
        return _json(await self.service.upkeep.doctor())

    async def look(self, _request: Request) -> Response:
        return _json(await self.service.upkeep.look())

    async def settings(self, request: Request) -> Response:
        return _json(await self.service.upkeep.settings(request.query_params.get("repo", "")))

    async def try_notices(self, _request: Request) -> Response:
        return _json(await self.service.upkeep.try_notices())

    async def audit(self, request: Request) -> Response:
        run = request.query_params.get("run", "")
        return _json(await self.service.upkeep.audit(await self.service.find(run) if run else None))

    async def hosts(self, _request: Request) -> Response:
        return _json(await self.service.afar.hosts())

    async def tokens(self, _request: Request) -> Response:
        return _json(await self.service.afar.tokens())

    async def add_token(self, request: Request) -> Response:
        return _json(await self.service.afar.add_token(await _body(request, wire.NewToken)))

    async def revoke_token(self, request: Request) -> Response:
        name = request.path_params["token"]
        await self.service.afar.revoke_token(name, await _body(request, wire.Act))
        return _json({})

    async def shutdown(self, _request: Request) -> Response:
        self.service.shutdown()
        return _json({})

    async def _run(self, request: Request) -> RunId:
        return await self.service.find(request.path_params["run"])


async def _body(request: Request, type_: type[T]) -> T:
    body = msgspec.json.decode(await request.body() or b"{}", type=type_)
    demand(request, widens(body))
    return signed(request, body)


def _json(value: object) -> Response:
    return Response(wire.encode(value), media_type="application/json")
