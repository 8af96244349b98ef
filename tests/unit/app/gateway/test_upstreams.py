"""The way to the providers: which one, and where its key comes from."""

import sys
from pathlib import Path

import pytest

from app.domain.errors import EnvironmentProblem
from app.gateway import upstreams
from app.gateway.settings import Upstream
from app.gateway.upstreams import Upstreams, credentials, redact

KEY = "sk-secret"


def one(key: str) -> Upstream:
    return Upstream(name="anthropic", url="http://127.0.0.1:1", key=key)


async def find(key: str) -> str:
    upstream = one(key)
    return await Upstreams((upstream,)).key(upstream)


async def test_a_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", KEY)
    assert await find("env:SOME_KEY") == KEY


async def test_a_key_comes_from_a_file_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    assert await find(f"file:{tmp_path / 'key'}") == KEY


async def test_a_key_comes_from_a_command() -> None:
    assert await find(f"cmd:{sys.executable} -c 'print(\"{KEY}\")'") == KEY


async def test_no_key_is_needed_where_none_is_configured() -> None:
    assert await find("") == ""


@pytest.mark.parametrize(
    "key",
    [
        "env:NO_SUCH_KEY_HERE",
        "file:/no/such/file",
        "cmd:false",
        "cmd:no-such-program",
        "cmd:'unclosed",
        f"cmd:{sys.executable} -c pass",
        "sk-a-key-itself",
    ],
)
async def test_a_key_that_is_not_there_names_the_setting(key: str) -> None:
    with pytest.raises(EnvironmentProblem, match="anthropic") as problem:
        await find(key)
    assert "gateway.upstreams.anthropic.key" in problem.value.hint
    assert "sk-a-key-itself" not in problem.value.message


async def test_a_key_is_asked_for_again_after_a_while(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("old")
    now = [0.0]
    upstream = one(f"file:{tmp_path / 'key'}")
    found = Upstreams((upstream,), lambda: now[0])
    await found.key(upstream)
    (tmp_path / "key").write_text("new")
    assert await found.key(upstream) == "old"
    now[0] = 61.0
    assert await found.key(upstream) == "new"


async def test_a_key_the_provider_did_not_like_is_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("old")
    upstream = one(f"file:{tmp_path / 'key'}")
    found = Upstreams((upstream,))
    await found.key(upstream)
    (tmp_path / "key").write_text("new")
    found.forget(upstream)
    assert await found.key(upstream) == "new"


@pytest.mark.parametrize(
    ("model", "chosen"),
    [
        ("claude-opus-5-5", ("anthropic", "claude-opus-5-5")),
        ("local/qwen3", ("local", "qwen3")),
        ("local/fast", ("local", "qwen3:4b")),
        ("other/qwen3", ("anthropic", "other/qwen3")),
        ("local/", ("anthropic", "local/")),
        ("big", ("anthropic", "claude-opus-5-5")),
    ],
)
def test_a_models_name_chooses_its_provider(model: str, chosen: tuple[str, str]) -> None:
    found = Upstreams(
        (
            Upstream(name="anthropic", url="http://a", aliases={"big": "claude-opus-5-5"}),
            Upstream(name="local", url="http://l", aliases={"fast": "qwen3:4b"}),
        )
    )
    upstream, id_ = found.choose(model)
    assert (upstream.name, id_) == chosen


def test_a_key_is_taken_out_of_a_text() -> None:
    assert KEY not in redact(f"bad key {KEY}, {KEY}", KEY)


def test_without_a_key_no_header_is_sent() -> None:
    assert credentials(one(""), "") == {}


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
    assert (upstreams._proxy(url) is not None) == proxied
