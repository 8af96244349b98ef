"""What a recording leaves out, and what two requests may differ in."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.gateway.cassette_text import difference, digest, normalised, scrubbed_reply, scrubber
from tests.support.leaks import SECRETS

KEY = "sk-real-and-secret-0123456789"
SCRUB = scrubber([KEY, "swarm-run-key"], "/srv/people/grace")
HOMES = ["/ho" + "me/grace", "/Us" + "ers/Grace.Hopper", "/srv/people/grace", "C:\\Users\\Grace"]


@pytest.mark.parametrize("home", HOMES)
def test_a_home_directory_keeps_nobodys_name(home: str) -> None:
    assert SCRUB(f'open("{home}/src/app.py")') == 'open("/home/agent/src/app.py")'


@pytest.mark.parametrize("secret", [KEY, "swarm-run-key", *SECRETS.values()])
def test_no_key_and_nothing_of_a_keys_form_stays(secret: str) -> None:
    assert secret not in SCRUB(f"before {secret} after")


def anthropic(*texts: str) -> str:
    """A stream that says these one after another."""
    events = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
        for text in texts
    ]
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)


def responses(*texts: str) -> str:
    kind = "response.output_text.delta"
    events = [{"type": kind, "item_id": "i", "output_index": 0, "delta": text} for text in texts]
    return "".join(f"event: {kind}\ndata: {json.dumps(e)}\n\n" for e in events)


def chat(*texts: str) -> str:
    events = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in texts]
    return "".join(f"data: {json.dumps(e)}\n\n" for e in events) + "data: [DONE]\n\n"


def gemini(*texts: str) -> str:
    contents = [{"role": "model", "parts": [{"text": text}]} for text in texts]
    events = [{"candidates": [{"index": 0, "content": content}]} for content in contents]
    return "".join(f"data: {json.dumps(e)}\n\n" for e in events)


VOICES = [anthropic, responses, chat, gemini]


@pytest.mark.parametrize("voice", VOICES)
@given(cuts=st.lists(st.integers(0, 80), max_size=6))
def test_a_key_that_comes_in_pieces_is_found(voice: Any, cuts: list[int]) -> None:
    text = f"It is {KEY}, in {HOMES[0]}/notes."
    places = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    pieces = [text[a:b] for a, b in pairwise(places)]
    clean = scrubbed_reply(voice(*pieces), SCRUB)
    said = "".join(_texts(clean))
    assert said == "It is [key], in /home/agent/notes."
    assert clean.count("data:") == voice(*pieces).count("data:")


def _text(event: Any) -> str | None:
    if "candidates" in event:
        [part] = event["candidates"][0]["content"]["parts"]
        return str(part["text"])
    delta = event["delta"] if "delta" in event else event["choices"][0]["delta"]
    return delta if isinstance(delta, str) else delta.get("text", delta.get("content"))


def _texts(stream: str) -> list[str]:
    """The texts of a stream of any of the voices, in order."""
    found = []
    for line in stream.splitlines():
        if line.startswith("data: {"):
            event = json.loads(line[6:])
            found.append(_text(event))
    return [text or "" for text in found]


@pytest.mark.parametrize("voice", VOICES)
def test_a_stream_without_secrets_stays_byte_for_byte(voice: Any) -> None:
    stream = voice("one ", "two", " {three}") + ": a comment\n\ndata: not json\n\n"
    assert scrubbed_reply(stream, SCRUB) == stream


SAME = [
    ("on 2026-11-21", "on 2027-01-02"),
    ("at 2026-11-21T16:24:58.123Z", "at 2027-01-02T06:00:00Z"),
    ("Today is Saturday, November 21, 2026.", "Today is Monday, January 4, 2027."),
    ("msg_01a1feea-aab5-74d2-8784-d6c4bf251832", "msg_01a1feeb-4f15-7a32-b1e7-53143675a90c"),
    ("on branch swarm/make-add-f2yq3", "on branch swarm/make-add-n7aqz"),
    ("commit 1313964e02", "commit 0a2b3c4d5e"),
    ("2 passed in 0.31s", "2 passed in 1.7s"),
    ("tool_uses: 1\nduration_ms: 1469</usage>", "tool_uses: 1\nduration_ms: 985</usage>"),
    ("in /tmp/claude-x81/out", "in /tmp/claude-k/2/out"),
    ("at http://127.0.0.1:8123/v1", "at http://127.0.0.1:90/v1"),
    ("Chunk ID: 11d07d", "Chunk ID: 541237"),
    ("-rw-r--r-- 1 agent agent 12 Nov 21 16:24 a", "-rw-r--r-- 1 agent agent 12 Jan  2 06:00 a"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_clocks_ids_and_places_make_no_other_request(one: str, other: str) -> None:
    assert _digest({"messages": [one]}) == _digest({"messages": [other]})


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("max_tokens", 32_000, 8192),
        ("metadata", {"user_id": "a"}, {"user_id": "b"}),
        ("prompt_cache_key", "a", None),
    ],
)
def test_what_is_about_the_caller_makes_no_other_request(name: str, one: Any, other: Any) -> None:
    assert _digest({"messages": [], name: one}) == _digest({"messages": [], name: other})


@pytest.mark.parametrize(
    "other",
    [
        {"model": "m", "messages": ["Make it read"]},
        {"model": "other", "messages": ["Make it red"]},
        {"model": "m", "messages": ["Make it red"], "tools": []},
        {"model": "m", "messages": ["Make it red", "and blue"]},
    ],
)
def test_other_words_make_another_request(other: Any) -> None:
    assert _digest({"model": "m", "messages": ["Make it red"]}) != _digest(other)


def _digest(request: Any) -> str:
    return digest("/v1/messages", normalised(request))


JSON = st.recursive(
    st.none() | st.integers(-5, 5) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xy", max_size=2), inner),
    max_leaves=12,
)


@given(JSON)
def test_what_is_normalised_stays_as_it_is(value: Any) -> None:
    assert normalised(normalised(value)) == normalised(value)


@given(JSON, JSON)
def test_a_difference_is_found_exactly_where_there_is_one(one: Any, other: Any) -> None:
    assert (difference(one, other) is None) == (one == other)
