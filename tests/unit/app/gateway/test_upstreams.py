"""The way to the providers: which one, and where its key comes from."""

import base64
import json
import sys
from pathlib import Path

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend

from app.domain.errors import EnvironmentProblem
from app.gateway.keys import Censor, redact
from app.gateway.settings import Auth, DialectName, Upstream
from app.gateway.upstreams import Upstreams, address, credentials

KEY = "sk-secret"


def signed(issuer: str) -> str:
    """A token in the form in which logins and clouds issue theirs."""
    head, claims = ({"alg": "RS256"}, {"iss": issuer, "sub": "ada"})
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in (head, claims)]
    return b".".join([*(part.rstrip(b"=") for part in parts), b"c2lnbmVk"]).decode()


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


CONFIGURED = (
    Upstream(name="azure", url="http://a", dialects=("chat",), models=("gpt-*",)),
    Upstream(name="local", url="http://l", dialects=("chat",), aliases={"fast": "qwen3:4b"}),
    Upstream(name="anthropic", url="http://c", aliases={"big": "claude-opus-5-5"}),
    Upstream(name="openai", url="http://o", dialects=("responses", "chat")),
)


@pytest.mark.parametrize(
    ("model", "dialect", "chosen"),
    [
        ("claude-opus-5-5", "anthropic", ("anthropic", "claude-opus-5-5")),
        ("big", "anthropic", ("anthropic", "claude-opus-5-5")),
        ("gpt-5.5", "responses", ("openai", "gpt-5.5")),
        ("gpt-5.5", "chat", ("azure", "gpt-5.5")),
        ("openai/gpt-5.5", "chat", ("openai", "gpt-5.5")),
        ("qwen3", "chat", ("local", "qwen3")),
        ("fast", "chat", ("local", "qwen3:4b")),
        ("local/fast", "chat", ("local", "qwen3:4b")),
        ("local/org/qwen3", "chat", ("local", "org/qwen3")),
        ("other/qwen3", "chat", ("local", "other/qwen3")),
        ("local/", "chat", ("local", "local/")),
    ],
)
def test_model_and_dialect_choose_the_provider(
    model: str, dialect: DialectName, chosen: tuple[str, str]
) -> None:
    upstream, id_ = Upstreams(CONFIGURED).choose(model, dialect)
    assert (upstream.name, id_) == chosen


def test_a_provider_that_does_not_speak_the_agents_dialect_is_refused_with_the_way_out() -> None:
    with pytest.raises(EnvironmentProblem, match="speaks OpenAI Chat Completions") as problem:
        Upstreams(CONFIGURED).choose("local/qwen3", "anthropic")
    assert "gateway.upstreams.local.dialects" in problem.value.hint


def test_without_a_provider_for_the_dialect_the_setting_is_named() -> None:
    with pytest.raises(EnvironmentProblem, match="speaks OpenAI Responses") as problem:
        Upstreams(CONFIGURED[:3]).choose("gpt-5.5", "responses")
    assert "dialects: [responses]" in problem.value.hint


def test_a_provider_that_lists_models_gets_no_others() -> None:
    with pytest.raises(EnvironmentProblem, match="qwen3"):
        Upstreams(CONFIGURED[:1]).choose("qwen3", "chat")


@pytest.mark.parametrize(
    ("url", "path", "address_"),
    [
        ("https://api.anthropic.com", "/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("https://o.example/api/v1", "/v1/messages", "https://o.example/api/v1/messages"),
        ("https://d.example/anthropic", "/v1/messages", "https://d.example/anthropic/v1/messages"),
        ("https://api.openai.com/v1", "/v1/responses", "https://api.openai.com/v1/responses"),
        ("https://api.openai.com", "/v1/responses", "https://api.openai.com/v1/responses"),
        ("http://localhost:11434", "/v1/chat/completions", "http://localhost:11434/v1/chat/completions"),
        ("https://z.example/paas/v4", "/v1/chat/completions", "https://z.example/paas/v4/chat/completions"),
        ("https://g.example", "/v1beta/models/{model}:go", "https://g.example/v1beta/models/m%2F1:go"),
        ("https://g.example/v1beta", "/v1beta/models/{model}:go", "https://g.example/v1beta/models/m%2F1:go"),
        ("https://v.example/v1/publishers/google", "/v1beta/models/{model}:go",
         "https://v.example/v1/publishers/google/models/m%2F1:go"),
        (
            "https://x.openai.azure.com/openai/deployments/{model}",
            "/v1/chat/completions",
            "https://x.openai.azure.com/openai/deployments/m%2F1/chat/completions",
        ),
    ],
)  # fmt: skip
def test_a_base_address_is_taken_as_its_provider_writes_it(
    url: str, path: str, address_: str
) -> None:
    upstream = Upstream(name="u", url=url)
    assert address(upstream, path, "m/1") == address_
    dated = Upstream(name="u", url=url, query={"api-version": "2026-01"})
    assert address(dated, path, "m/1", "beta=true") == f"{address_}?beta=true&api-version=2026-01"


@pytest.mark.parametrize(
    ("auth", "dialect", "header"),
    [
        ("auto", "anthropic", {"x-api-key": KEY}),
        ("auto", "chat", {"authorization": f"Bearer {KEY}"}),
        ("bearer", "anthropic", {"authorization": f"Bearer {KEY}"}),
        ("api-key", "responses", {"api-key": KEY}),
        ("auto", "gemini", {"x-goog-api-key": KEY}),
        ("bearer", "gemini", {"authorization": f"Bearer {KEY}"}),
        ("x-goog-api-key", "gemini", {"x-goog-api-key": KEY}),
    ],
)
def test_a_key_travels_as_the_provider_wants_it(
    auth: Auth, dialect: DialectName, header: dict[str, str]
) -> None:
    upstream = Upstream(name="u", url="http://u", auth=auth)
    assert credentials(upstream, KEY, dialect) == header


@pytest.mark.parametrize(
    "kept",
    [
        "sk-ant-oat01-login",
        "sk-ant-ort01-login",
        '{"tokens": {"access_token": "x"}}',
        signed("https://auth.openai.com"),
        "sk-one sk-two",
        "sk-ü",
    ],
)
async def test_what_is_no_api_key_is_refused_and_not_repeated(kept: str, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text(kept)
    with pytest.raises(EnvironmentProblem) as problem:
        await find(f"file:{tmp_path / 'kept'}")
    assert "gateway.upstreams.anthropic.key" in problem.value.hint
    assert kept not in problem.value.message + problem.value.hint


@pytest.mark.parametrize("key", [signed("https://sts.windows.net/tenant/"), "a.b.c", "eyJ.e30.x"])
async def test_a_clouds_signed_token_is_a_key(key: str, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text(key)
    assert await find(f"file:{tmp_path / 'kept'}") == key


async def test_a_key_comes_from_the_keyring() -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(OneKey())  # type: ignore[no-untyped-call]
    try:
        assert await find("keyring:swarm/anthropic") == KEY
        with pytest.raises(EnvironmentProblem, match="the keyring entry swarm/other"):
            await find("keyring:swarm/other")
    finally:
        keyring.set_keyring(before)


class OneKey(KeyringBackend):
    """A keyring as a desktop has one, in memory."""

    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        return KEY if (service, username) == ("swarm", "anthropic") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


def test_a_key_is_taken_out_of_a_text() -> None:
    assert KEY not in redact(f"bad key {KEY}, {KEY}", KEY)


@given(st.lists(st.text("ab", max_size=6), max_size=8), st.text("ab", min_size=1, max_size=4))
def test_in_whatever_pieces_it_comes_a_key_never_passes_and_all_else_does(
    pieces: list[str], key: str
) -> None:
    censor = Censor(key)
    passed = b"".join(censor.feed(piece.encode()) for piece in pieces) + censor.end()
    assert key.encode() not in passed
    assert passed.decode() == "".join(pieces).replace(key, "*" * len(key))


def test_what_cannot_be_the_beginning_of_a_key_is_not_held_back() -> None:
    censor = Censor(KEY)
    assert censor.feed(b"data: {}\n\n") == b"data: {}\n\n"
    assert censor.feed(b"data: sk-s") == b"data: "
    assert censor.feed(b"afe\n\n") == b"sk-safe\n\n"


def test_without_a_key_no_header_is_sent() -> None:
    assert credentials(one(""), "", "anthropic") == {}
