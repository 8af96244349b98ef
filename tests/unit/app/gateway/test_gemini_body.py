"""Requests in Gemini's dialect: what may be sent to a provider, and the most it can make the provider do."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.gateway.dialects import Call, Objection, Route
from app.gateway.gemini import Gemini
from app.gateway.gemini_body import UNTOLD
from app.gateway.reservation import Bounds

DIALECT = Gemini()
ROUTE = DIALECT.routes[0].serving(
    "POST", "/gemini/v1beta/models/gemini-2.5-pro:streamGenerateContent", "alt=sse"
)
PLAIN: dict[str, Any] = {"contents": []}


def read(body: Any, *, per_token: int = 2) -> Call | Objection:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    assert ROUTE
    return DIALECT.read(ROUTE, raw, per_token)


def bounds(**more: Any) -> Bounds:
    call = read(PLAIN | more)
    assert isinstance(call, Call), call
    return call.bounds


def says(*parts: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "parts": list(parts)}]


def packed(kind: str, data: str = "aGk=") -> dict[str, Any]:
    return {"inlineData": {"mimeType": kind, "data": data}}


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"googleSearch": {}}]},
        {"tools": [{"google_search": {}}]},
        {"tools": [{"googleSearchRetrieval": {}}]},
        {"tools": [{"functionDeclarations": []}, {"codeExecution": {}}]},
        {"tools": [{"functionDeclarations": [], "url_context": {}}]},
        {"tools": [{"fileSearch": {"fileSearchStoreNames": ["s"]}}]},
        {"tools": [{"something_new": {}}]},
        {"tools": ["googleSearch"]},
        {"tools": {"googleSearch": {}}},
        {"cachedContent": "cachedContents/mine"},
        {"cached_content": "cachedContents/mine"},
        {"serviceTier": "priority"},
        {"store": True},
        {"contents": says({"fileData": {"fileUri": "https://evil.example/x"}})},
        {"contents": says({"file_data": {"file_uri": "gs://bucket/x"}})},
        {"contents": says(packed("audio/wav"))},
        {"contents": says(packed("video/mp4"))},
        {"contents": says({"inline_data": {"mime_type": "audio/wav", "data": ""}})},
        {"contents": says({"inlineData": {"data": "aGk="}})},
        {"contents": says({"functionResponse": {"parts": [{"fileData": {"fileUri": "x"}}]}})},
        {"systemInstruction": {"parts": [{"fileData": {"fileUri": "x"}}]}},
        {"generationConfig": {"candidateCount": 4}},
        {"generation_config": {"candidate_count": 4}},
        {"generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}},
        {"generationConfig": {"speechConfig": {}}},
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
        {"tools": [{"functionDeclarations": [{"name": "googleSearch"}]}]},
        {"tools": [{"function_declarations": [{"name": "x", "parameters": {"tools": 1}}]}]},
        {"tools": [{"computerUse": {}}], "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
        {"contents": says({"text": "fileData"}, packed("image/png"), packed("application/pdf"))},
        {"contents": says({"functionCall": {"name": "x", "args": {"fileData": {}, "tools": []}}})},
        {"contents": says({"functionResponse": {"name": "x", "response": {"fileData": "y"}}})},
        {"generationConfig": {"thinkingConfig": {"thinkingBudget": -1}, "candidateCount": 1}},
        {"safetySettings": [], "field_of_next_year": {"b": [1]}},
    ],
)
def test_what_stays_between_agent_and_model_is_sent(more: dict[str, Any]) -> None:
    assert isinstance(read(PLAIN | more), Call)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{",
        {"generationConfig": []},
        {"generationConfig": {"maxOutputTokens": 0}},
        {"generationConfig": {"maxOutputTokens": "1000"}},
        {"generationConfig": {"max_output_tokens": 1.5}},
        {"generationConfig": {"maxOutputTokens": 5, "max_output_tokens": 50_000}},
        {"generationConfig": {}, "generation_config": {"maxOutputTokens": 9}},
    ],
)
def test_what_nobody_can_have_meant_is_refused(body: Any) -> None:
    answer = read(body)
    assert isinstance(answer, Objection)
    assert answer.status == 400


@pytest.mark.parametrize(
    ("more", "output", "thinking"),
    [
        ({}, UNTOLD, 0),
        ({"generationConfig": {"maxOutputTokens": 900}}, 900, 0),
        ({"generation_config": {"max_output_tokens": 900}}, 900, 0),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 8192}}}, UNTOLD, 8192),
        ({"generationConfig": {"thinkingConfig": {"thinking_budget": 4}}}, UNTOLD, 4),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": -1}}}, UNTOLD, 0),
    ],
)
def test_the_longest_answer_is_known(more: dict[str, Any], output: int, thinking: int) -> None:
    found = bounds(**more)
    assert (found.output, found.thinking) == (output, thinking)


def test_an_image_counts_by_number_and_a_document_by_its_bytes() -> None:
    images = bounds(contents=says(packed("image/png", "a" * 100_000)))
    document = bounds(contents=says(packed("application/pdf", "a" * 100_000)))
    assert images.input < 10_000
    assert document.input > 100_000


@pytest.mark.parametrize(
    "body",
    [
        PLAIN,
        {"generationConfig": {"topK": 64}},
        {"generationConfig": {"maxOutputTokens": 9000, "topK": 64}},
        {"generation_config": {"max_output_tokens": 9000}},
    ],
)
def test_an_answer_cut_short_is_asked_for_under_the_names_of_the_request(
    body: dict[str, Any],
) -> None:
    call = read(body)
    assert isinstance(call, Call)
    sent = msgspec.json.decode(DIALECT.write(call, "m", 500))
    config = sent.get("generationConfig") or sent["generation_config"]
    assert 500 in (config.get("maxOutputTokens"), config.get("max_output_tokens"))
    assert len(sent) == len(body | {"generationConfig": 0}) - ("generation_config" in body)
    assert isinstance(again := read(sent), Call)
    assert again.bounds.output == 500


def test_the_model_is_named_by_the_address_alone() -> None:
    call = read(PLAIN | {"model": "models/gemini-4-argon"})
    assert isinstance(call, Call)
    assert call.model == "gemini-2.5-pro"
    assert DIALECT.write(call, "m", UNTOLD) == msgspec.json.encode(PLAIN)


PATHS: list[tuple[str, str, str | None]] = [
    ("/gemini/v1beta/models/gemini-2.5-pro:streamGenerateContent", "alt=sse", "gemini-2.5-pro"),
    ("/gemini/v1beta/models/gemini-2.5-pro:streamGenerateContent", "x=1&alt=sse", "gemini-2.5-pro"),
    ("/gemini/v1beta/models/google/gemini-3:generateContent", "", "google/gemini-3"),
    ("/gemini/v1beta/models/m:countTokens", "", "m"),
    # A stream that is one long list cannot be read while it passes by.
    ("/gemini/v1beta/models/gemini-2.5-pro:streamGenerateContent", "", None),
    ("/gemini/v1beta/models/gemini-2.5-pro:streamGenerateContent", "alt=json", None),
    ("/gemini/v1beta/models/:generateContent", "", None),
    ("/gemini/v1beta/models/../files:generateContent", "", None),
    ("/gemini/v1beta/models/a/../../files:generateContent", "", None),
    ("/gemini/v1beta/models/a%2f..%2fb:generateContent", "", None),
    ("/gemini/v1beta/models/a?key=x:generateContent", "", None),
    ("/gemini/v1beta/models/a:embedContent", "", None),
    ("/gemini/v1beta/models/a:generateContent:generateContent", "", None),
    (f"/gemini/v1beta/models/{'a' * 201}:generateContent", "", None),
    ("/gemini/v1beta/cachedContents", "", None),
    ("/gemini/v1/models/a:generateContent", "", None),
]


@pytest.mark.parametrize(("path", "query", "model"), PATHS)
def test_a_model_is_named_in_the_path_and_nothing_else_is(
    path: str, query: str, model: str | None
) -> None:
    found = [route.serving("POST", path, query) for route in DIALECT.routes]
    assert [route.model for route in found if route] == ([model] if model else [])
    assert not any(route.serving("GET", path, query) for route in DIALECT.routes)


@given(st.text(max_size=30))
def test_whatever_stands_for_a_model_the_address_stays_in_its_place(name: str) -> None:
    route = DIALECT.routes[1].serving("POST", f"/gemini/v1beta/models/{name}:generateContent", "")
    assert route is None or isinstance(route, Route)
    assert route is None or not set(route.model) & set("%?#: \\")
    assert route is None or not any(part.startswith(".") for part in route.model.split("/"))


JSON = st.recursive(
    st.none() | st.integers(-5, 5) | st.sampled_from(["image/png", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["tools", "parts", "inlineData", "inline_data", "generationConfig", "mimeType", "a"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["tools", "contents", "generationConfig"]), JSON))
def test_whatever_is_asked_it_is_bounded_or_refused(body: dict[str, Any]) -> None:
    answer = read(body)
    if isinstance(answer, Call):
        assert answer.bounds.input > 0
        assert 1 <= answer.bounds.output <= UNTOLD
