"""Request bodies: what may be sent to a provider, and the most it can make the provider do."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.gateway.anthropic import Messages
from app.gateway.dialects import Call, Objection
from app.gateway.reservation import Bounds

DIALECT = Messages()
MESSAGES, COUNT = DIALECT.routes
PLAIN: dict[str, Any] = {"model": "claude-opus-5-5", "max_tokens": 100, "messages": []}


def read(body: Any, *, per_token: int = 2) -> Call | Objection:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return DIALECT.read(MESSAGES, raw, per_token)


def bounds(**more: Any) -> Bounds:
    call = read(PLAIN | more)
    assert isinstance(call, Call), call
    return call.bounds


def says(content: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}]


def image(data: str = "aGk=", kind: str = "base64") -> dict[str, Any]:
    return {"type": "image", "source": {"type": kind, "media_type": "image/png", "data": data}}


@pytest.mark.parametrize(
    "more",
    [
        {"mcp_servers": [{"type": "url", "url": "https://evil.example"}]},
        {"container": "x"},
        {"fallbacks": [{"model": "claude-fable-5"}]},
        {"speed": "fast"},
        {"inference_geo": "us"},
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"tools": [{"type": "web_fetch_20260101", "name": "web_fetch"}]},
        {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]},
        {"tools": [{"type": "mcp_toolset", "mcp_server_name": "x"}]},
        {"tools": [{"type": "something_new_20270101", "name": "x"}]},
        {"tools": [{"type": 7}]},
        {"tools": ["web_search"]},
        {"tools": {"type": "web_search_20250305"}},
        {"messages": says([{"type": "image", "source": {"type": "url", "url": "http://x"}}])},
        {"messages": says([{"type": "document", "source": {"type": "file", "file_id": "f"}}])},
        {"messages": says([{"type": "tool_result", "content": [image(kind="url")]}])},
        {
            "messages": [
                {
                    "role": "system",
                    "content": [{"type": "tool_addition", "tool": {"type": "web_search_20250305"}}],
                }
            ]
        },
    ],
)
def test_a_request_that_reaches_out_or_has_no_list_price_is_not_sent(more: dict[str, Any]) -> None:
    answer = read(PLAIN | more)
    assert isinstance(answer, Objection)
    assert answer.status == 403
    assert answer.why


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"name": "Bash", "input_schema": {"type": "object"}}]},
        {"tools": [{"type": "custom", "name": "web_search"}]},
        {"tools": [{"type": "bash_20250124", "name": "bash"}]},
        {"tools": [{"type": "text_editor_20250728", "name": "edit"}]},
        {"tools": [], "mcp_servers": [], "speed": "standard", "service_tier": "auto"},
        {"messages": says([image()])},
        {
            "messages": says(
                [
                    {
                        "type": "tool_use",
                        "name": "x",
                        "input": {"source": {"type": "url"}, "type": "mcp"},
                    }
                ]
            )
        },
        {
            "thinking": {"type": "adaptive"},
            "context_management": {"edits": [{"type": "clear_thinking_20251015"}]},
        },
        {"a_field_of_next_year": {"type": "object"}},
    ],
)
def test_what_stays_between_agent_and_model_is_sent(more: dict[str, Any]) -> None:
    assert isinstance(read(PLAIN | more), Call)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"model": 7, "max_tokens": 1}',
        b'{"max_tokens": 1}',
        b'{"model": "m"}',
        b'{"model": "m", "max_tokens": 0}',
        b'{"model": "m", "max_tokens": true}',
        b'{"model": "m", "max_tokens": 1.5}',
        b'{"model": "m", "max_tokens": "9"}',
    ],
)
def test_a_body_that_cannot_be_bounded_is_not_sent(body: bytes) -> None:
    answer = read(body)
    assert isinstance(answer, Objection)
    assert answer.status == 400


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["type", "source", "tools", "edits", "cache_control", "x"]), inner
            )
        ),
    )
)
def test_no_shape_of_a_known_field_breaks_the_reading(value: Any) -> None:
    for name in ("messages", "system", "tools", "thinking", "context_management", "cache_control"):
        assert isinstance(read(PLAIN | {name: value}), Call | Objection)


def test_a_deeply_nested_body_is_read_without_recursion() -> None:
    content: Any = "x"
    for _ in range(200):
        content = [{"type": "tool_result", "content": content}]
    assert isinstance(read(PLAIN | {"messages": says(content)}), Call)


def test_the_second_of_two_equal_keys_cannot_hide_behind_the_first() -> None:
    call = read(b'{"model": "m", "max_tokens": 1, "messages": [], "max_tokens": 9000}')
    assert isinstance(call, Call)
    assert call.bounds.output == 9000
    assert DIALECT.write(call, "m", 50).count(b"max_tokens") == 1


def test_the_input_bound_is_half_the_bytes() -> None:
    text = "x" * 10_000
    assert 5_000 < bounds(messages=says(text)).input < 5_100


def test_the_strict_input_bound_is_every_byte() -> None:
    call = read(PLAIN | {"messages": says("x" * 10_000)}, per_token=1)
    assert isinstance(call, Call)
    assert call.bounds.input > 10_000


def test_an_image_counts_by_number_not_by_size() -> None:
    small, large = bounds(messages=says([image("a")])), bounds(messages=says([image("a" * 10**6)]))
    assert small.input == large.input > 6_000


def test_a_packed_document_counts_every_byte() -> None:
    document = {"type": "document", "source": {"type": "base64", "data": "a" * 10_000}}
    assert bounds(messages=says([document])).input > 10_000


@pytest.mark.parametrize(
    ("more", "cache"),
    [
        ({}, "none"),
        ({"cache_control": {"type": "ephemeral"}}, "short"),
        (
            {
                "system": [
                    {
                        "type": "text",
                        "text": "s",
                        "cache_control": {"type": "ephemeral", "ttl": "5m"},
                    }
                ]
            },
            "short",
        ),
        ({"tools": [{"name": "t", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]}, "long"),
        (
            {
                "messages": says([{"type": "text", "text": "", "cache_control": {"ttl": "1h"}}]),
                "cache_control": {"ttl": "5m"},
            },
            "long",
        ),
        ({"cache_control": {"ttl": "1y"}}, "long"),
    ],
)
def test_the_longest_cache_time_that_is_asked_for_counts(more: dict[str, Any], cache: str) -> None:
    assert bounds(**more).cache == cache


def test_thinking_and_compaction_are_seen() -> None:
    found = bounds(
        thinking={"type": "enabled", "budget_tokens": 5000},
        context_management={"edits": [{"type": "compact_20260112"}]},
    )
    assert (found.thinking, found.passes) == (5000, 2)


def test_counting_tokens_needs_no_output_limit() -> None:
    raw = b'{"model": "m", "messages": []}'
    call = DIALECT.read(COUNT, raw, 2)
    assert isinstance(call, Call)
    assert b"max_tokens" not in DIALECT.write(call, "m", 1)


def test_only_model_and_output_limit_change_in_a_request() -> None:
    body = PLAIN | {"stream": True, "x": {"z": 1.5, "a": None}, "system": "ü"}
    call = read(body)
    assert isinstance(call, Call)
    sent = msgspec.json.decode(DIALECT.write(call, "other", 7))
    assert sent == body | {"model": "other", "max_tokens": 7}
    assert list(sent) == list(body)


def test_a_body_of_countless_parts_is_not_walked_to_its_end() -> None:
    answer = read(PLAIN | {"messages": [[] for _ in range(300_000)]})
    assert isinstance(answer, Objection)
    assert "parts" in answer.why
