"""Sends a request again while that helps, before the first byte of an answer; `policies.upstream` says when."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import aiohttp

from app.gateway.settings import GatewaySettings
from policies.upstream import Failure, Later, PassOn, Patience, Wait, after_failure

_NO_CONNECTION = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_THEIRS = frozenset({0, 429, *range(500, 600)})
"""Statuses that are the provider's failure and not the request's; 0: no connection."""


async def _nobody(status: int, again: float | None) -> None:
    del status, again


async def answered(
    post: Callable[[], Awaitable[aiohttp.ClientResponse]],
    settings: GatewaySettings,
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    tell: Callable[[int, float | None], Awaitable[None]] = _nobody,
) -> aiohttp.ClientResponse | Later:
    """The provider's answer, or how long it takes until there can be one. The last failure is given as it is.

    `tell` hears of each failure of the provider's: its status (0: no connection), and in how many seconds it
    is tried again, None for not.
    """
    patience = Patience(attempts=settings.attempts, longest=settings.longest_wait)
    for attempt in itertools.count(1):
        tried = await _once(post)
        if tried.status == 200:
            return tried.result()
        failure = Failure(status=tried.status, attempt=attempt, retry_after=tried.asked)
        match after_failure(failure, patience):
            case Wait(seconds=seconds):
                tried.close()
                await tell(tried.status, seconds)
                await wait(seconds)
            case PassOn():
                if tried.status in _THEIRS:
                    await tell(tried.status, None)
                return tried.result()
            case Later() as later:
                tried.close()
                return later
    raise AssertionError


@dataclass(frozen=True, slots=True)
class _Tried:
    """What came of one try: an answer, or no connection."""

    answer: aiohttp.ClientResponse | None
    error: Exception | None = None

    @property
    def status(self) -> int:
        return self.answer.status if self.answer is not None else 0

    @property
    def asked(self) -> float | None:
        """Seconds the provider asks to wait."""
        return retry_after(self.answer.headers, time.time()) if self.answer is not None else None

    def result(self) -> aiohttp.ClientResponse:
        if self.answer is None:
            assert self.error is not None
            raise self.error
        return self.answer

    def close(self) -> None:
        if self.answer is not None:
            self.answer.close()


async def _once(post: Callable[[], Awaitable[aiohttp.ClientResponse]]) -> _Tried:
    try:
        return _Tried(await post())
    except _NO_CONNECTION as error:
        return _Tried(None, error)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds, from either form of the header; None for none and for nonsense."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except ValueError:
        return None
