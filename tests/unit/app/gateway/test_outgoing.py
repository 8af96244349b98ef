"""How providers are reached from where the host stands: whom it trusts, and through which proxy."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import trustme
from multidict import CIMultiDict

from app.domain.errors import EnvironmentProblem
from app.gateway.settings import Upstream
from app.gateway.upstreams import Upstreams, address, proxy_for
from tests.support.model_endpoint import MESSAGES, MODEL, REAL_KEY, ask, bench, http, raw_upstream

PROVIDER = "models.example"


@dataclass
class Proxy:
    """An HTTP proxy that leads every tunnel to one server, and keeps what it could read."""

    behind: str
    """The server's base address; any, where no tunnel is opened."""
    refusal: bytes = b""
    """What it answers instead of opening a tunnel."""
    heads: list[str] = field(default_factory=list)
    passed: bytes = b""
    """What went through the tunnels, from the host to the server."""
    port: int = 0
    tasks: set["asyncio.Task[None] | None"] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.add(asyncio.current_task())
        self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        if self.refusal:
            writer.write(self.refusal)
            writer.close()
            await writer.wait_closed()
            return
        port = int(self.behind.rpartition(":")[2])
        there, away = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(self._pipe(reader, away, keep=True), self._pipe(there, writer))

    async def _pipe(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, keep: bool = False
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                self.passed += data if keep else b""
                sink.write(data)
        sink.close()


@contextlib.asynccontextmanager
async def proxy_before(behind: str, refusal: bytes = b"") -> AsyncIterator[Proxy]:
    proxy = Proxy(behind, refusal)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    async with server:
        yield proxy
        await asyncio.gather(*(task for task in proxy.tasks if task))


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """Who vouches for the provider; its certificate is in `ca.pem`."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return made


def tls(authority: trustme.CA, name: str) -> ssl.SSLContext:
    """What a server of that name presents."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.mark.parametrize(
    ("url", "proxied"),
    [
        ("https://api.anthropic.com/v1/messages", True),
        ("https://internal.example/v1/messages", False),
        ("http://127.0.0.1:9/v1/messages", False),
        ("http://localhost:9/v1/messages", False),
        ("http://[::1]:9/v1/messages", False),
    ],
)
def test_the_hosts_proxy_is_used_but_never_for_this_machine(
    url: str, proxied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "internal.example")
    assert (proxy_for(Upstream(name="u", url="http://127.0.0.1:1"), url) is not None) == proxied


def test_a_configured_proxy_goes_before_the_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    url = "https://api.example.com/v1"
    own = Upstream(name="u", url=url, proxy="http://own.example:8080")
    assert proxy_for(own, url) == "http://own.example:8080"
    assert proxy_for(Upstream(name="u", url=url, proxy="none"), url) is None


@pytest.mark.parametrize(
    ("written", "used"),
    [("proxy.example:3128", "http://proxy.example:3128"), ("", None)],
)
def test_the_hosts_proxy_may_be_written_short(
    written: str, used: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", written)
    there = Upstream(name="u", url="https://api.example.com/v1")
    assert proxy_for(there, there.url) == used


@pytest.mark.parametrize(
    "written", ["socks5://ada:sesame@127.0.0.1:1", "http://", "http://x:99999"]
)
async def test_what_is_no_http_proxy_is_not_gone_around_and_named(
    written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text(REAL_KEY)
    monkeypatch.setenv("https_proxy", written)
    there = Upstream(name="models", url=f"https://{PROVIDER}", key=f"file:{tmp_path / 'key'}")
    async with bench(upstreams=(there,)) as b:
        with pytest.raises(EnvironmentProblem, match="HTTPS_PROXY"):
            await b.gateway.check(MODEL)
        answer = await b.post(ask())
        assert (answer.status, (await b.spend()).micros) == (403, 0)
        said = answer.json["error"]["message"]
        assert "HTTPS_PROXY" in said
        assert "gateway.upstreams.models.proxy" in said
        assert "sesame" not in said


async def test_a_provider_with_an_authority_of_its_own_is_trusted_only_by_that(
    authority: trustme.CA, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "stranger.pem"))
    async with raw_upstream(http("200 OK", b"{}"), tls(authority, "localhost")) as server:
        for ca, is_trusted in (("ca.pem", True), ("stranger.pem", False), ("", False)):
            there = Upstream(name="u", url=server.url, ca=str(tmp_path / ca) if ca else "")
            assert await reached(there) == is_trusted


async def test_authorities_that_cannot_be_read_name_the_setting() -> None:
    there = Upstream(name="own", url="https://localhost:1", ca="/no/such/ca.pem")
    with pytest.raises(EnvironmentProblem, match="/no/such/ca") as problem:
        await reached(there)
    assert "gateway.upstreams.own.ca" in problem.value.hint


async def test_a_call_goes_through_the_configured_proxy() -> None:
    async with raw_upstream(http("200 OK", b"{}")) as proxy:
        there = Upstream(name="u", url="http://models.example/v1", proxy=proxy.url)
        assert await reached(there)
        assert proxy.head.startswith("post http://models.example/v1/messages http/1.1")


async def test_through_a_proxy_a_provider_is_reached_by_its_name_in_a_tunnel_it_cannot_read(
    authority: trustme.CA, tmp_path: Path
) -> None:
    reply = http("200 OK", b"{}", content_type="application/json")
    (tmp_path / "key").write_text(REAL_KEY)
    async with (
        raw_upstream(reply, tls(authority, PROVIDER)) as provider,
        proxy_before(provider.url) as proxy,
        bench(upstreams=(behind(proxy, tmp_path),)) as b,
    ):
        assert (await b.post(ask(), path=f"{MESSAGES}/count_tokens")).status == 200
        assert proxy.heads[0].startswith(f"CONNECT {PROVIDER}:443 HTTP/1.1\r\n")
        assert REAL_KEY not in "".join(proxy.heads)
        assert proxy.passed
        assert REAL_KEY.encode() not in proxy.passed
        assert f"x-api-key: {REAL_KEY}" in provider.head


async def test_what_a_proxy_wants_to_know_is_told_to_it_alone(
    authority: trustme.CA, tmp_path: Path
) -> None:
    async with (
        raw_upstream(http("200 OK", b"{}"), tls(authority, PROVIDER)) as provider,
        proxy_before(provider.url) as proxy,
    ):
        address = proxy.url.replace("http://", "http://ada:sesame@")
        url, ca = f"https://{PROVIDER}", str(tmp_path / "ca.pem")
        assert await reached(Upstream(name="u", url=url, ca=ca, proxy=address))
        assert "Proxy-Authorization: Basic YWRhOnNlc2FtZQ==" in proxy.heads[0]
        assert "proxy-authorization" not in provider.head


async def test_a_proxy_that_refuses_stops_the_agent_costs_nothing_and_names_the_setting(
    tmp_path: Path,
) -> None:
    (tmp_path / "key").write_text(REAL_KEY)
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"
    async with (
        proxy_before("", refusal) as proxy,
        bench(upstreams=(behind(proxy, tmp_path),)) as b,
    ):
        answer = await b.post(ask())
        assert answer.status == 403
        assert "407 Proxy Authentication Required" in answer.json["error"]["message"]
        assert "gateway.upstreams.models.proxy" in answer.json["error"]["message"]
        spend = await b.spend()
        assert (spend.micros, spend.held, spend.calls) == (0, 0, 0)


async def test_a_proxy_that_falters_is_told_and_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(REAL_KEY)
    refusal = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
    async with (
        proxy_before("", refusal) as proxy,
        bench(upstreams=(behind(proxy, tmp_path),)) as b,
    ):
        answer = await b.post(ask())
        assert (answer.status, (await b.spend()).micros) == (502, 0)
        assert "503 Service Unavailable" in answer.json["error"]["message"]


def behind(proxy: Proxy, place: Path) -> Upstream:
    """The provider as a user configures it who can reach it only through the proxy."""
    url, ca, key = f"https://{PROVIDER}", str(place / "ca.pem"), f"file:{place / 'key'}"
    if not Path(ca).exists():
        ca = ""
    return Upstream(name="models", url=url, ca=ca, key=key, proxy=proxy.url)


async def reached(there: Upstream) -> bool:
    """Whether a call gets there."""
    found = Upstreams((there,))
    try:
        async with await found.post(
            there, address(there, "/v1/messages", "m"), CIMultiDict(), b"{}"
        ) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
    finally:
        await found.close()
