"""One run's line to the gateway: its socket, its key, and how its calls went lately."""

import asyncio
import hmac
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from app.domain.base import Value
from app.domain.cassette import Cassette
from app.domain.ids import RunId
from app.gateway.cassette import Player, Recorder
from app.gateway.rate import Rate
from app.gateway.serving import cut_and_stop
from app.gateway.sockets import Place
from harnesses.base import StopDialect

SOCKET_NAME = "gateway.sock"


class Caller(Value, frozen=True, kw_only=True):
    """Who may call on a line."""

    key: str
    """The run's own."""
    stop: StopDialect = "anthropic"
    """How its agent must be refused so that it stops."""
    model: str = ""
    """What its agent works with; listed first where it asks for models."""
    per_minute: int | None = None
    """Calls it may make in a minute; None for as many as any."""
    cassette: Cassette = Cassette()
    """What its calls are recorded to, or answered from."""


class Line:
    """State of one run at the gateway. The listener is the identity; the key must fit it."""

    def __init__(
        self,
        run: RunId,
        path: Path,
        caller: Caller,
        tape: Recorder | Player | None,
        server: "Callable[[Line], web.Server]",
        calls_at_once: int,
    ) -> None:
        """`server` makes what answers on the line."""
        self.run = run
        self.tape = tape
        """Meets `caller.cassette`."""
        self.place = Place(path)
        self.caller = caller
        self.slots = asyncio.Semaphore(calls_at_once)
        self.greeted = False
        self.refusals = 0
        """Refused calls in a row."""
        self._server = server
        self._rate = Rate()
        self._freed = asyncio.Event()
        self._runner: web.ServerRunner | None = None

    def admits(self, key: str) -> bool:
        """Whether that is the run's key."""
        return hmac.compare_digest(key.encode(errors="replace"), self.caller.key.encode())

    def renew(self, caller: Caller) -> None:
        """Begin anew with that key: earlier refusals are forgiven."""
        self.caller = caller
        self.greeted = False
        self.refusals = 0

    def too_fast(self, now: float, per_minute: int) -> bool:
        """Count a call; whether there were more than that in the last minute."""
        return self._rate.count(now) > per_minute

    def money_came_back(self) -> None:
        """Wake the calls that wait for money."""
        self._freed.set()
        self._freed = asyncio.Event()

    def next_money(self) -> asyncio.Event:
        """What is set when the next call is settled. Take it before looking at the headroom."""
        return self._freed

    async def listen(self) -> None:
        """Put the socket in place and serve it."""
        bound = await self.place.take()
        self._runner = web.ServerRunner(self._server(self), shutdown_timeout=0.0)
        await self._runner.setup()
        await web.SockSite(self._runner, bound).start()

    async def hang_up(self) -> None:
        """Cut every connection, without a proper end, and remove the socket."""
        if self._runner is None:
            return
        self.place.leave()
        await cut_and_stop(self._runner)
        self._runner = None
