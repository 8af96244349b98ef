"""The gateway: one unix socket per run, an exact table of routes, and nothing else."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from aiohttp import HttpVersion11, web

from app.domain.cassette import Cassette
from app.domain.errors import EnvironmentProblem
from app.domain.ids import RunId
from app.gateway import models, replies
from app.gateway.admission import BUDGET_STATUS
from app.gateway.anthropic import Messages
from app.gateway.cassette import tape_of
from app.gateway.chat import Chat
from app.gateway.dialects import Dialect, Objection, Route
from app.gateway.exchange import Exchange, price_of, refuse
from app.gateway.gemini import Gemini
from app.gateway.ledger import Desk, Ledger, NoDesk, Witness
from app.gateway.line import Caller, Line
from app.gateway.parts import Parts
from app.gateway.prices import Prices, Unpriced
from app.gateway.responses import Responses
from app.gateway.serving import Served
from app.gateway.settings import DialectName, GatewaySettings
from app.gateway.switchboard import Switchboard
from app.gateway.upstreams import Upstreams, proxy_for
from harnesses.base import StopDialect

_LOG = logging.getLogger(__name__)
DIALECTS: tuple[Dialect, ...] = (Messages(), Responses(), Chat(), Gemini())
"""All that are served. Adding one is one module, its name, and one entry here."""
_LARGE = 1024**2
"""Bytes from which a body is read in a thread, so that a hostile one holds up no other run."""


class Gateway:
    """The metering proxy. Lives on one event loop; `async with` closes it."""

    def __init__(
        self,
        settings: GatewaySettings,
        ledger: Ledger,
        witness: Witness,
        *,
        prices: Prices,
        desk: Desk | None = None,
        clock: Callable[[], float] = time.time,
        mint: Callable[[], str] = secrets.token_hex,
    ) -> None:
        upstreams = Upstreams(settings.upstreams)
        self._parts = Parts(
            settings, ledger, witness, desk or NoDesk(), prices, upstreams, clock, mint
        )
        self._lines: Switchboard[Line] = Switchboard()
        self._exchanges: set[asyncio.Task[web.StreamResponse]] = set()

    @property
    def prices(self) -> Prices:
        """What models cost."""
        return self._parts.prices

    async def __aenter__(self) -> "Gateway":
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.aclose()

    async def check(self, model: str, dialect: DialectName = "anthropic") -> None:
        """Raise `EnvironmentProblem`, with what to do, when a call of that model could not be made now."""
        upstream, id_ = self._parts.upstreams.choose(model, dialect)
        await self._parts.upstreams.key(upstream)
        proxy_for(upstream, upstream.url)
        spoken = next(each for each in DIALECTS if each.name == dialect)
        price = price_of(self._parts, upstream, id_, spoken)
        if isinstance(price, Unpriced):
            raise EnvironmentProblem(price.why, hint=price.fix)

    async def answers(self, upstream: str) -> bool:
        """Whether that model API can be called again, as far as can be seen without a model call."""
        return await self._parts.upstreams.answers(upstream)

    async def open(
        self,
        run: RunId,
        socket: Path,
        key: str,
        stop: StopDialect = "anthropic",
        model: str = "",
        *,
        per_minute: int | None = None,
        cassette: Cassette = Cassette(),  # noqa: B008 - frozen
    ) -> None:
        """Serve the run at that socket. Again is the same; another key replaces the first.

        `stop` is how its agent is refused so that it stops; `model` is listed first when it asks for models.
        """
        caller = Caller(key=key, stop=stop, model=model, per_minute=per_minute, cassette=cassette)
        settings = self._parts.settings

        def server(line: Line) -> Served:
            return Served(partial(self._handle, line), settings.connections)

        async def lay() -> Line:
            tape = await asyncio.to_thread(tape_of, cassette, str(Path.home()))
            return Line(run, socket, caller, tape, server, settings.calls_at_once)

        standing = await self._lines.open(run, socket, lay)
        if standing is not None:
            standing.renew(caller)

    async def close(self, run: RunId) -> None:
        """Stop serving the run. Replies under way are cut; what they cost is still found out."""
        await self._lines.close(run)

    async def aclose(self) -> None:
        """Stop everything. Calls under way are charged in full."""
        await self._lines.close_all()
        for task in self._exchanges:
            task.cancel()
        await asyncio.gather(*self._exchanges, return_exceptions=True)
        await self._parts.upstreams.close()

    async def _handle(self, line: Line, request: web.BaseRequest) -> web.StreamResponse:
        if line.refusals >= self._parts.settings.refusals:
            return _hang_up(request)
        dialect, route = _route(request)
        asks_models = models.asked(request)
        if route is None and not asks_models:
            return _no_such_route(dialect, request)
        objection = self._stranger(line, dialect, request)
        if objection is not None:
            return await refuse(self._parts, line, dialect, objection)
        if route is None:
            return models.reply(line.caller, self._parts)
        if not line.greeted:
            line.greeted = True
            await self._parts.witness.first_request(line.run)
        async with line.slots:
            return await self._call(line, dialect, route, request)

    async def _call(
        self, line: Line, dialect: Dialect, route: Route, request: web.BaseRequest
    ) -> web.StreamResponse:
        settings = self._parts.settings
        body = await _read(request, settings.body_limit)
        if isinstance(body, Objection):
            return await refuse(self._parts, line, dialect, body)
        if len(body) < _LARGE:
            call = dialect.read(route, body, settings.bytes_per_token)
        else:
            call = await asyncio.to_thread(dialect.read, route, body, settings.bytes_per_token)
        if isinstance(call, Objection):
            return await refuse(self._parts, line, dialect, call)
        exchange = Exchange(self._parts, line, dialect, route, request)
        task = asyncio.create_task(exchange.go(call), name=f"model call of {line.run}")
        self._exchanges.add(task)
        task.add_done_callback(self._done)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            exchange.client_gone()
            raise

    def _stranger(self, line: Line, dialect: Dialect, request: web.BaseRequest) -> Objection | None:
        if not line.admits(dialect.key(request.headers)):
            return Objection(status=403, why="swarm: this is not the key of this run")
        per_minute = line.caller.per_minute or self._parts.settings.calls_per_minute
        if line.too_fast(self._parts.clock(), per_minute):
            why = f"swarm: more than {per_minute} model calls in a minute are a loop, not work"
            return Objection(status=BUDGET_STATUS, why=why)
        return None

    def _done(self, task: asyncio.Task[web.StreamResponse]) -> None:
        self._exchanges.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("a model call broke off", exc_info=error)


def _route(request: web.BaseRequest) -> tuple[Dialect, Route | None]:
    """By the raw target, exactly: no other form of it, no other method; in one dialect it names a model."""
    path, _, query = request.raw_path.partition("?")
    if request.version == HttpVersion11:
        for dialect in DIALECTS:
            for route in dialect.routes:
                if (found := route.serving(request.method, path, query)) is not None:
                    return dialect, found
    return _near(path), None


def _near(path: str) -> Dialect:
    """In whose words a request is refused that nothing serves."""
    place = path.split("/")[1:2]
    near = (each for each in DIALECTS if each.routes[0].path.split("/")[1:2] == place)
    return next(near, DIALECTS[0])


def _no_such_route(dialect: Dialect, request: web.BaseRequest) -> web.StreamResponse:
    path, _, query = request.raw_path.partition("?")
    routes = (route for each in DIALECTS for route in each.routes)
    served = any(route.serving(route.method, path, query) for route in routes)
    return replies.not_served(dialect, 405 if served or path in models.PATHS else 404)


def _hang_up(request: web.BaseRequest) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=403)


async def _read(request: web.BaseRequest, limit: int) -> bytes | Objection:
    """The body, or why there is none."""
    too_large = Objection(status=413, why=f"swarm: a request may have at most {limit} bytes")
    if (request.content_length or 0) > limit:
        return too_large
    body = bytearray()
    try:
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > limit:
                return too_large
    except (web.RequestPayloadError, web.PayloadAccessError):
        return Objection(status=400, why="swarm: the request's body did not arrive whole")
    return bytes(body)
