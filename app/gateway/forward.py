"""The way of one request to its provider and of the reply back, byte for byte, with the meter beside it."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from app.domain.errors import EnvironmentProblem
from app.domain.events import UpstreamFailed
from app.gateway import replies
from app.gateway.admission import BUDGET_STATUS
from app.gateway.alive import Alive
from app.gateway.cassette import REPLY_LIMIT, Heard, Take
from app.gateway.dialects import Call, Dialect, Meter, Objection, Route
from app.gateway.keys import Censor, redact
from app.gateway.parts import Parts
from app.gateway.retry import answered
from app.gateway.settings import Upstream
from app.gateway.upstreams import address, credentials
from policies.upstream import Later

_LOG = logging.getLogger(__name__)
EVENTS: Final = "text/event-stream"
_ERROR_LIMIT = 256 * 1024
"""Bytes of a provider's error that are passed on."""


class Forward:
    """One request and its reply."""

    def __init__(
        self,
        parts: Parts,
        dialect: Dialect,
        route: Route,
        request: web.BaseRequest,
        *,
        tell: Callable[[UpstreamFailed], Awaitable[None]],
        records: bool = False,
    ) -> None:
        """`tell` hears of each failure of the provider's; `records`: whether replies are kept in `heard`."""
        self._tell = tell
        self._parts = parts
        self._records = records
        self._dialect = dialect
        self._route = route
        self._request = request
        self._limit: asyncio.Timeout | None = None
        self._reply: web.StreamResponse | None = None
        self._gone = False
        self.alive: Alive | None = None
        """A reply that may have begun before there was anything to say."""
        self.meter: Meter | None = None
        """What the reply said of its usage; None as long as there is no reply."""
        self.heard: Heard | None = None
        """What the agent got of a provider, for whoever records it."""
        self.unbilled = False
        """Whether the provider provably charges nothing."""

    def client_gone(self) -> None:
        """The agent hung up: read on for its usage, but not for long."""
        if not self._gone:
            self._gone = True
            self._hurry()

    async def run(
        self, upstream: Upstream, key: str, call: Call, body: bytes, model: str
    ) -> web.StreamResponse | Objection:
        """Send, and pass the reply on while it comes."""
        if self._gone:
            self.unbilled = True
            return web.Response(status=502)
        try:
            async with asyncio.timeout(None) as self._limit:
                return await self._run(upstream, key, call, body, model)
        except EnvironmentProblem as problem:
            self.unbilled = True
            return Objection(status=403, why=f"swarm: {problem.in_one_line}")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            self.unbilled = True
            return self._failed(upstream, f"cannot be reached: {redact(str(error), key)}")
        except aiohttp.ClientHttpProxyError as error:
            # It opened no tunnel, so the provider never heard of the call.
            self.unbilled = True
            return self._no_tunnel(upstream, f"{error.status} {redact(error.message, key)}")
        except (aiohttp.ClientError, TimeoutError) as error:
            if self._reply is not None:
                await self._cut()
                return self._reply
            return self._failed(upstream, f"gave no answer ({type(error).__name__})")
        finally:
            self._limit = None

    async def play(self, take: Take, call: Call) -> web.StreamResponse:
        """Give a recorded reply as its provider gave it; one that broke off breaks off again."""
        headers = CIMultiDict(take.headers)
        if take.status != 200:
            self.unbilled = True
            if self.alive and self._begun:
                return self.alive.cut()
            return web.Response(status=take.status, body=take.body.encode(), headers=headers)
        reply = await self._reply_with(headers, _spoken(take), call, streamed=take.streamed)
        if not take.whole:
            await self._cut()
        return reply

    async def _run(
        self, upstream: Upstream, key: str, call: Call, body: bytes, model: str
    ) -> web.StreamResponse | Objection:
        headers = replies.sent_headers(self._dialect, self._request.headers)
        headers.extend(credentials(upstream, key, self._dialect.name))
        url = address(upstream, self._route.upstream, model, self._query)

        async def post() -> aiohttp.ClientResponse:
            self.unbilled = False
            return await self._parts.upstreams.post(upstream, url, headers, body)

        async def tell(status: int, again: float | None) -> None:
            await self._tell(UpstreamFailed(upstream.name, status, again))

        answer = await answered(post, self._parts.settings, self._wait, tell)
        if isinstance(answer, Later):
            return self._rests(upstream, answer.seconds)
        async with answer:
            if answer.status == 200:
                if answer.content_type == "text/html":
                    return _page(upstream)
                return await self._pass_reply(answer, call, key)
            self.unbilled = True
            if answer.status == 401:
                self._parts.upstreams.forget(upstream)
                return _wrong_key(upstream)
            return await self._pass_error(answer, upstream, key)

    async def _wait(self, seconds: float) -> None:
        """Until the next try, which nobody has been billed for yet."""
        self.unbilled = True
        if self.alive is None:
            await asyncio.sleep(seconds)
            return
        async with self.alive.kept():
            await asyncio.sleep(seconds)

    def _rests(self, upstream: Upstream, seconds: float) -> Objection:
        self.unbilled = True
        until = self._parts.clock() + seconds
        clock = datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%d %H:%M UTC")
        why = f"swarm: the model API {upstream.name!r} asks to wait until {clock}"
        return Objection(status=BUDGET_STATUS, why=why, until=until)

    async def _pass_reply(
        self, answer: aiohttp.ClientResponse, call: Call, key: str
    ) -> web.StreamResponse:
        headers = self._passed_headers(answer, key)
        streamed = answer.content_type == EVENTS
        if streamed:
            # Sent in chunks instead, so that a stream which breaks off cannot look complete.
            headers.popall("content-length", None)
        heard = self.heard = Heard(status=200, headers=_kept(headers))
        reply = await self._reply_with(headers, self._heard(answer, key), call, streamed=streamed)
        heard.whole = True
        return reply

    async def _heard(self, answer: aiohttp.ClientResponse, key: str) -> AsyncIterator[bytes]:
        """The reply as it comes, without our key."""
        censor = Censor(key)
        async for chunk in answer.content.iter_any():
            yield censor.feed(chunk)
        yield censor.end()

    async def _reply_with(
        self,
        headers: CIMultiDict[str],
        pieces: AsyncIterator[bytes],
        call: Call,
        *,
        streamed: bool,
    ) -> web.StreamResponse:
        meter = self.meter = self._dialect.meter(call, streamed=streamed)
        if (reply := self._begun) is None:
            reply = web.StreamResponse(status=200, headers=headers)
            await self._to_client(reply.prepare(self._request))
        self._reply = reply
        async for piece in pieces:
            meter.feed(piece)
            self._note(piece)
            if piece and not self._gone:
                await self._to_client(reply.write(piece))
        meter.end()
        if self._route.metered and not meter.ended:
            # An agent takes a proper end for a finished answer, or asks again for ever.
            await self._cut()
        return reply

    def _note(self, piece: bytes) -> None:
        """Keep a piece for the recording, if there is to be one."""
        if self._records and self.heard is not None:
            self.heard.body += piece[: max(0, REPLY_LIMIT - len(self.heard.body))]

    def _passed_headers(self, answer: aiohttp.ClientResponse, key: str) -> CIMultiDict[str]:
        passed = replies.passed_headers(self._dialect, answer.headers)
        return CIMultiDict((name, redact(value, key)) for name, value in passed.items())

    async def _pass_error(
        self, answer: aiohttp.ClientResponse, upstream: Upstream, key: str
    ) -> web.StreamResponse:
        """A provider's refusal: its status and words, but never our key."""
        if self.alive and self._begun:
            return self.alive.cut()
        if answer.status < 400:
            return self._failed(upstream, f"answered {answer.status}, which is not followed")
        text, censor = b"", Censor(key)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async for chunk in answer.content.iter_any():
                text += censor.feed(chunk)
                if len(text) > _ERROR_LIMIT:
                    break
            else:
                text += censor.end()
        shown = text[:_ERROR_LIMIT].decode(errors="replace")
        headers = self._passed_headers(answer, key)
        headers.popall("content-length", None)
        self.heard = Heard(status=answer.status, headers=_kept(headers), whole=True)
        self._note(shown.encode())
        return web.Response(status=answer.status, body=shown.encode(), headers=headers)

    def _no_tunnel(self, upstream: Upstream, said: str) -> web.StreamResponse | Objection:
        """What a proxy refuses stays refused; what it cannot do now, it may later."""
        how = f"cannot be reached: the proxy answered {said}"
        if not said.startswith("4"):
            return self._failed(upstream, how)
        return Objection(
            status=403,
            why=f"swarm: the model API {upstream.name!r} {how}; correct "
            f"gateway.upstreams.{upstream.name}.proxy, or HTTPS_PROXY where that is empty",
        )

    def _failed(self, upstream: Upstream, how: str) -> web.StreamResponse:
        _LOG.warning("upstream %s %s", upstream.name, how)
        if self.alive and self._begun:
            return self.alive.cut()
        return replies.failure(self._dialect, f"swarm: the model API {upstream.name!r} {how}")

    @property
    def _query(self) -> str:
        """The one query that goes along."""
        query = self._request.path_qs.partition("?")[2]
        return self._route.query if self._route.query in query.split("&") else ""

    @property
    def _begun(self) -> web.StreamResponse | None:
        return self.alive.reply if self.alive else None

    async def _to_client(self, sending: Awaitable[object]) -> None:
        try:
            await sending
        except ConnectionError:
            self.client_gone()

    def _hurry(self) -> None:
        if self._limit is not None:
            loop = asyncio.get_running_loop()
            self._limit.reschedule(loop.time() + self._parts.settings.drain)

    async def _cut(self) -> None:
        """End the reply so that nobody can take it for complete."""
        reply, words = self._reply, self._dialect.broken_off
        if words and reply is not None and reply.content_type == EVENTS and not self._gone:
            await self._to_client(reply.write_eof(words))
        elif self._request.transport is not None:
            self._request.transport.abort()


async def _spoken(take: Take) -> AsyncIterator[bytes]:
    for piece in take.pieces():
        yield piece


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers that belong to any such reply, and not to the one connection it came over."""
    return {
        name.lower(): value for name, value in headers.items() if name.lower() != "content-length"
    }


def _page(upstream: Upstream) -> Objection:
    return Objection(
        status=403,
        why=f"swarm: the model API {upstream.name!r} answered with a web page, not with a reply; look at "
        f"gateway.upstreams.{upstream.name}.url and at what stands between: a proxy, or a page to sign in",
    )


def _wrong_key(upstream: Upstream) -> Objection:
    return Objection(
        status=403,
        why=f"swarm: the model API {upstream.name!r} does not accept the key from "
        f"{upstream.key.partition(':')[0] or 'the configuration'}; correct "
        f"gateway.upstreams.{upstream.name}.key",
    )
