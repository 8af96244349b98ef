"""The gateway's own answers, and what it lets through of a provider's."""

from typing import TYPE_CHECKING, Final

from aiohttp import web
from multidict import CIMultiDict

from app.gateway.dialects import Dialect
from harnesses.base import StopDialect

if TYPE_CHECKING:
    from collections.abc import Mapping

_OWN: Final = "application/json"


def refusal(dialect: Dialect, stop: StopDialect, status: int, why: str) -> web.Response:
    """An answer after which the agent stops at once instead of trying again."""
    told, body = dialect.refusal(stop, status, why)
    headers = {"content-type": _OWN, "x-should-retry": "false"}
    return web.Response(status=told, body=body, headers=headers)


def not_served(dialect: Dialect, status: int) -> web.Response:
    """There is no such route."""
    body = dialect.error(status, "swarm: not served by this gateway")
    headers = {"content-type": _OWN, "x-should-retry": "false"}
    return web.Response(status=status, body=body, headers=headers)


def failure(dialect: Dialect, why: str) -> web.Response:
    """The provider did not answer; the agent may try again as it is used to."""
    return web.Response(status=502, body=dialect.error(502, why), headers={"content-type": _OWN})


def passed_headers(dialect: Dialect, headers: "Mapping[str, str]") -> "CIMultiDict[str]":
    """The provider's headers that go to the agent."""
    kept = CIMultiDict((k, v) for k, v in headers.items() if dialect.returns(k.lower()))
    if "content-encoding" in headers:
        # It was unpacked on the way, so its length is another one now.
        kept.popall("content-length", None)
    return kept


def sent_headers(dialect: Dialect, headers: "Mapping[str, str]") -> "CIMultiDict[str]":
    """The agent's headers that go to the provider; never its key."""
    kept = CIMultiDict((k, v) for k, v in headers.items() if dialect.sends(k.lower()))
    for name in [name for name, value in kept.items() if not value.isascii()]:
        kept.popall(name, None)
    kept["content-type"] = _OWN
    return kept
