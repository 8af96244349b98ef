"""The way to the model providers: which one, with which key, over one shared connection pool.

Keys live only here and only while a call is made; nothing this module says contains one.
"""

import asyncio
import ipaddress
import os
import shlex
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from multidict import CIMultiDict

from app.domain.errors import EnvironmentProblem
from app.gateway.settings import Upstream

_REMEMBERED: Final = 60.0
"""Seconds a key from a command or a file is used before it is asked for again."""
_COMMAND_LIMIT: Final = 15.0
REDACTED: Final = "[key withheld by swarm]"


class Upstreams:
    """The configured providers."""

    def __init__(
        self, upstreams: tuple[Upstream, ...], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._upstreams = upstreams
        self._clock = clock
        self._keys: dict[str, tuple[float, str]] = {}
        self._session: aiohttp.ClientSession | None = None

    def choose(self, model: str) -> tuple[Upstream, str]:
        """The provider of a model as the agent named it, and the id that provider knows it by."""
        prefix, _, rest = model.partition("/")
        for upstream in self._upstreams:
            if rest and upstream.name == prefix:
                return upstream, upstream.aliases.get(rest, rest)
        default = self._upstreams[0]
        return default, default.aliases.get(model, model)

    async def key(self, upstream: Upstream) -> str:
        """Its API key. Raises `EnvironmentProblem` that names the place where none was found."""
        until, key = self._keys.get(upstream.name, (0.0, ""))
        if not key or self._clock() >= until:
            key = await _resolve(upstream)
            self._keys[upstream.name] = (self._clock() + _REMEMBERED, key)
        return key

    def forget(self, upstream: Upstream) -> None:
        """Ask for the key again next time: the provider did not like it."""
        self._keys.pop(upstream.name, None)

    async def post(
        self, upstream: Upstream, path: str, headers: CIMultiDict[str], body: bytes
    ) -> aiohttp.ClientResponse:
        """Send a request; the reply's body is still to be read. Redirects are not followed."""
        if self._session is None:
            self._session = _session()
        url = upstream.url.rstrip("/") + path
        return await self._session.post(
            url,
            data=body,
            headers=headers,
            allow_redirects=False,
            proxy=_proxy(url),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=min(30.0, upstream.timeout), sock_read=upstream.timeout
            ),
        )

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def credentials(upstream: Upstream, key: str) -> dict[str, str]:
    """The headers that carry the key."""
    if not key:
        return {}
    if upstream.auth == "bearer":
        return {"authorization": f"Bearer {key}"}
    return {"x-api-key": key}


def redact(text: str, key: str) -> str:
    """The text without the key."""
    return text.replace(key, REDACTED) if key else text


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        # Providers keep idle connections longer than this, so a call is hardly ever sent on a dead one.
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=15.0),
        cookie_jar=aiohttp.DummyCookieJar(),
        # Asked for explicitly: the meter has to read what passes.
        headers={"accept-encoding": "identity"},
        skip_auto_headers=("user-agent",),
        read_bufsize=256 * 1024,
    )


def _proxy(url: str) -> str | None:
    """The proxy of the host's environment, never for an address of this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _is_loopback(host) or urllib.request.proxy_bypass_environment(host):  # type: ignore[attr-defined]
        return None
    return urllib.request.getproxies_environment().get(parts.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _resolve(upstream: Upstream) -> str:
    kind, _, place = upstream.key.partition(":")
    match kind:
        case "":
            return ""
        case "env":
            key, where = os.environ.get(place, ""), f"the environment variable {place}"
        case "file":
            key, where = await _from_file(Path(place)), f"the file {place}"
        case "cmd":
            key, where = await _from_command(place), f"the command {place!r}"
        case _:
            raise EnvironmentProblem(
                f"the key of upstream {upstream.name!r} is not of the form env:, file: or cmd:",
                hint=f"Correct gateway.upstreams.{upstream.name}.key.",
            )
    if not (key := key.strip()):
        raise EnvironmentProblem(
            f"there is no API key for upstream {upstream.name!r}: {where} gives none",
            hint=f"Set it for the supervisor, or correct gateway.upstreams.{upstream.name}.key.",
        )
    return key


async def _from_file(path: Path) -> str:
    try:
        return await asyncio.to_thread(path.expanduser().read_text)
    except (OSError, UnicodeDecodeError):
        return ""


async def _from_command(command: str) -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            *shlex.split(command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except (OSError, ValueError):
        return ""
    try:
        async with asyncio.timeout(_COMMAND_LIMIT):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return ""
    return output.decode(errors="replace") if process.returncode == 0 else ""
