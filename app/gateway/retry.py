"""Sends a request again while that helps, before the first byte of an answer; `policies.upstream` says when."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime

import aiohttp

from app.gateway.settings import GatewaySettings
from policies.upstream import Failure, Later, PassOn, Patience, Wait, after_failure

_NO_CONNECTION = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


async def answered(
    post: Callable[[], Awaitable[aiohttp.ClientResponse]],
    settings: GatewaySettings,
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> aiohttp.ClientResponse | Later:
    """The provider's answer, or how long it takes until there can be one. The last failure is given as it is."""
    patience = Patience(attempts=settings.attempts, longest=settings.longest_wait)
    for attempt in itertools.count(1):
        answer = None
        try:
            answer = await post()
            status, asked = answer.status, retry_after(answer.headers, time.time())
        except _NO_CONNECTION:
            status, asked = 0, None
            if not isinstance(_next(status, attempt, asked, patience), Wait):
                raise
        if answer is not None and status == 200:
            return answer
        follows = _next(status, attempt, asked, patience)
        if isinstance(follows, PassOn):
            assert answer is not None
            return answer
        if answer is not None:
            answer.close()
        if isinstance(follows, Later):
            return follows
        await wait(follows.seconds)
    raise AssertionError


def _next(
    status: int, attempt: int, asked: float | None, patience: Patience
) -> Wait | PassOn | Later:
    return after_failure(Failure(status=status, attempt=attempt, retry_after=asked), patience)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds, from either form of the header; None for none and for nonsense."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except ValueError:
        return None
