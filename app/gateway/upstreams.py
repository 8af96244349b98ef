"""The way to the model providers: which one, at which address, over one shared connection pool."""

import ipaddress
import ssl
import time
import urllib.request
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from multidict import CIMultiDict

from app.domain.errors import EnvironmentProblem
from app.domain.network import is_http_proxy
from app.gateway.dialects import MODEL
from app.gateway.keys import resolve
from app.gateway.settings import DialectName, Upstream

_LOOK: Final = 10.0
"""Seconds in which a provider that is there says something."""
_REMEMBERED: Final = 60.0
"""Seconds a key from a command or a file is used before it is asked for again."""


class Upstreams:
    """The configured providers, in order."""

    def __init__(
        self, upstreams: tuple[Upstream, ...], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._upstreams = upstreams
        self._clock = clock
        self._keys: dict[str, tuple[float, str]] = {}
        self._authorities: dict[str, ssl.SSLContext] = {}
        self._session: aiohttp.ClientSession | None = None

    def named(self) -> list[str]:
        """Model names that the configuration mentions."""
        aliases = [alias for each in self._upstreams for alias in each.aliases]
        plain = [m for each in self._upstreams for m in each.models if not set(m) & set("*?[")]
        return [*aliases, *plain]

    def choose(self, model: str, dialect: DialectName) -> tuple[Upstream, str]:
        """The provider of a model as the agent named it, and the id that provider knows it by.

        1. `<upstream>/<id>` names it. 2. The first that lists the model, as an alias or by a pattern.
        3. The first that lists no models at all. Always only among those that speak the dialect; raises
        `EnvironmentProblem` where there is none. A name such as `anthropic/claude` may also be an id at a reseller
        that lists it; it is that one where the upstream of this name does not speak the dialect.
        """
        prefix, _, rest = model.partition("/")
        named = next((each for each in self._upstreams if rest and each.name == prefix), None)
        if named and dialect in named.dialects:
            return named, named.aliases.get(rest, rest)
        speaking = [each for each in self._upstreams if dialect in each.dialects]
        listing = [each for each in speaking if _lists(each, model)]
        general = [each for each in speaking if not each.models and not named]
        for upstream in (*listing, *general):
            return upstream, upstream.aliases.get(model, model)
        if named:
            raise _does_not_speak(named, dialect)
        raise EnvironmentProblem(
            f"no model API is configured that speaks {DIALECT_WORDS[dialect]} and serves {model!r}",
            hint=f"Add one to gateway.upstreams with `dialects: [{dialect}]`, or choose another agent.",
        )

    async def key(self, upstream: Upstream) -> str:
        """Its API key. Raises `EnvironmentProblem` that names the place where none was found."""
        until, key = self._keys.get(upstream.name, (0.0, ""))
        if not key or self._clock() >= until:
            key = await resolve(upstream)
            self._keys[upstream.name] = (self._clock() + _REMEMBERED, key)
        return key

    def forget(self, upstream: Upstream) -> None:
        """Ask for the key again next time: the provider did not like it."""
        self._keys.pop(upstream.name, None)

    async def post(
        self, upstream: Upstream, url: str, headers: CIMultiDict[str], body: bytes
    ) -> aiohttp.ClientResponse:
        """Send a request; the reply's body is still to be read. Redirects are not followed."""
        if self._session is None:
            self._session = _session()
        return await self._session.post(
            url,
            data=body,
            headers=headers,
            allow_redirects=False,
            proxy=proxy_for(upstream, url),
            ssl=self._trust(upstream),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=min(30.0, upstream.timeout), sock_read=upstream.timeout
            ),
        )

    async def answers(self, name: str) -> bool:
        """Whether there is anybody at its address, without a key. One that is not configured is not asked."""
        upstream = next((each for each in self._upstreams if each.name == name), None)
        if upstream is None:
            return True
        if self._session is None:
            self._session = _session()
        try:
            async with self._session.get(
                upstream.url,
                allow_redirects=False,
                proxy=proxy_for(upstream, upstream.url),
                ssl=self._trust(upstream),
                timeout=aiohttp.ClientTimeout(total=_LOOK),
            ) as answer:
                return answer.status < 500
        except (aiohttp.ClientError, TimeoutError, EnvironmentProblem):
            return False

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _trust(self, upstream: Upstream) -> "ssl.SSLContext | bool":
        """Who may vouch for it. Raises `EnvironmentProblem` when its file cannot be used."""
        if not upstream.ca:
            return True
        if upstream.ca not in self._authorities:
            try:
                self._authorities[upstream.ca] = ssl.create_default_context(cafile=upstream.ca)
            except OSError as error:
                raise EnvironmentProblem(
                    f"the authorities of upstream {upstream.name!r} cannot be read from {upstream.ca}: {error}",
                    hint=f"gateway.upstreams.{upstream.name}.ca names a file with PEM certificates.",
                ) from error
        return self._authorities[upstream.ca]


DIALECT_WORDS: Final[dict[DialectName, str]] = {
    "anthropic": "Anthropic Messages",
    "responses": "OpenAI Responses",
    "chat": "OpenAI Chat Completions",
    "gemini": "the Gemini API",
}


_VERSIONS: Final = ("/v1", "/v1beta")


def address(upstream: Upstream, path: str, model: str, query: str = "") -> str:
    """Where a call goes: the base address, with its version written or left out, and the dialect's path.

    A base address that has a path of its own, other than Anthropic's, is complete, as the providers' libraries
    take it: `https://host/api/v4` is followed by `/chat/completions`.
    """
    base = upstream.url.rstrip("/").replace("{model}", quote(model, safe=""))
    has_path = bool(urlsplit(base).path)
    version = next((each for each in _VERSIONS if path.startswith(f"{each}/")), "")
    is_anthropic = path.startswith("/v1/messages")
    if base.endswith(version) or (has_path and not is_anthropic):
        path = path.removeprefix(version)
    path = path.replace(MODEL, quote(model, safe=""))
    both = "&".join(part for part in (query, urlencode(upstream.query)) if part)
    return f"{base}{path}?{both}" if both else base + path


def credentials(upstream: Upstream, key: str, dialect: DialectName) -> dict[str, str]:
    """The headers that carry the key."""
    if not key:
        return {}
    match upstream.auth:
        case "x-api-key":
            return {"x-api-key": key}
        case "api-key":
            return {"api-key": key}
        case "x-goog-api-key":
            return {"x-goog-api-key": key}
        case "auto" if dialect == "anthropic":
            return {"x-api-key": key}
        case "auto" if dialect == "gemini":
            return {"x-goog-api-key": key}
        case "auto" | "bearer":
            return {"authorization": f"Bearer {key}"}


def _does_not_speak(upstream: Upstream, dialect: DialectName) -> EnvironmentProblem:
    spoken = " and ".join(DIALECT_WORDS[each] for each in upstream.dialects)
    return EnvironmentProblem(
        f"the model API {upstream.name!r} speaks {spoken}, and the agent {DIALECT_WORDS[dialect]}",
        hint=f"Choose another agent or model; or add {dialect} to "
        f"gateway.upstreams.{upstream.name}.dialects, if it does speak that.",
    )


def _lists(upstream: Upstream, model: str) -> bool:
    return model in upstream.aliases or any(fnmatchcase(model, p) for p in upstream.models)


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


def proxy_for(upstream: Upstream, url: str) -> str | None:
    """The configured proxy, else that of the host's environment, never for an address of this machine.

    Raises `EnvironmentProblem` when the environment names something else than an HTTP proxy.
    """
    if upstream.proxy:
        return None if upstream.proxy == "none" else upstream.proxy
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _is_loopback(host) or urllib.request.proxy_bypass_environment(host):  # type: ignore[attr-defined]
        return None
    found = urllib.request.getproxies_environment().get(parts.scheme, "")
    # Written without it, every program takes it for one of HTTP.
    proxy = found if "://" in found or not found else f"http://{found}"
    if proxy and not is_http_proxy(proxy):
        raise EnvironmentProblem(
            f"{parts.scheme.upper()}_PROXY, as the supervisor was started with, is no address of an HTTP proxy",
            hint=f"Name one in gateway.upstreams.{upstream.name}.proxy, or `none`.",
        )
    return proxy or None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
