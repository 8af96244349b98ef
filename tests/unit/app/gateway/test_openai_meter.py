"""The golden table: usage as providers write it, and what it costs, exactly."""

import json
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise
from typing import Any

import pytest
from genai_prices import extract_usage
from hypothesis import given
from hypothesis import strategies as st

from app.gateway.openai_meter import ChatMeter, ResponsesMeter
from app.gateway.prices import Price, Prices, Usage
from app.gateway.settings import GatewaySettings, Upstream

AT = 1_795_000_000.0
"""A moment in November 2026: prices are dated."""
PRICES = Prices(GatewaySettings(upstreams=(Upstream(name="u", url="http://u"),)))


def price(model: str, provider: str = "openai") -> Price:
    found = PRICES.find(model, AT, provider=provider)
    assert isinstance(found, Price)
    return found


def chat(**usage: Any) -> ChatMeter:
    """The meter after a whole reply with that usage."""
    meter = ChatMeter(streamed=False)
    meter.feed(json.dumps({"choices": [{"finish_reason": "stop"}], "usage": usage}).encode())
    meter.end()
    return meter


def responses(**usage: Any) -> ResponsesMeter:
    meter = ResponsesMeter(streamed=False)
    meter.feed(json.dumps({"status": "completed", "usage": usage}).encode())
    meter.end()
    return meter


def sent(prompt: int, completion: int, **more: Any) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        **more,
    }


def asked(input_: int, output: int, **more: Any) -> dict[str, Any]:
    return {
        "input_tokens": input_,
        "output_tokens": output,
        "total_tokens": input_ + output,
        **more,
    }


def cached(read: int, write: int = 0) -> dict[str, int]:
    return {"cached_tokens": read, "cache_write_tokens": write}


GOLDEN: list[tuple[str, str, dict[str, Any], str]] = [
    # Chat Completions: model, provider, usage, dollars
    ("gpt-5.5", "openai", sent(1000, 100), "0.008"),
    ("gpt-5.5", "openai", sent(1000, 0), "0.005"),
    ("gpt-5.5", "openai", sent(1000, 100, prompt_tokens_details=cached(400)), "0.0062"),
    ("gpt-5.5", "openai", sent(1000, 100, prompt_tokens_details=cached(1000)), "0.0035"),
    ("gpt-5.5", "openai", sent(1000, 100, prompt_tokens_details={"audio_tokens": 0}), "0.008"),
    ("gpt-5.5", "openai", sent(1000, 100, prompt_tokens_details=None), "0.008"),
    ("gpt-5.5", "openai", sent(272_000, 100), "1.363"),
    ("gpt-5.5", "openai", sent(272_001, 100), "2.72451"),
    ("gpt-5.5", "openai", sent(1000, 100, completion_tokens_details={"reasoning_tokens": 60}), "0.008"),
    ("gpt-5.5", "openai", {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1200}, "0.011"),
    ("gpt-4.1", "openai", sent(1_000_000, 1_000_000), "10"),
    ("gpt-4.1", "openai", sent(1_000_000, 0, prompt_tokens_details=cached(1_000_000)), "0.5"),
    ("gpt-4.1", "openai", sent(1, 0), "0.000002"),
    ("gpt-4.1", "openai", sent(0, 0), "0"),
    ("gpt-4.1-nano", "openai", sent(1, 1), "0.000001"),  # rounded up, once
    ("gpt-5.6-sol", "openai", sent(1000, 10, prompt_tokens_details=cached(200, 300)), "0.00378"),
    ("deepseek-chat", "deepseek", sent(1000, 100, prompt_cache_hit_tokens=900), "0.0002"),
    ("deepseek-chat", "deepseek", sent(1000, 100, prompt_tokens_details=cached(900)), "0.0002"),
    ("grok-4", "x-ai", {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 115}, "0.001605"),
]  # fmt: skip


GOLDEN_RESPONSES: list[tuple[str, dict[str, Any], str]] = [
    ("gpt-5.5", asked(1000, 100), "0.008"),
    ("gpt-5.5", asked(1000, 100, input_tokens_details=cached(400)), "0.0062"),
    ("gpt-5.5", asked(1000, 100, output_tokens_details={"reasoning_tokens": 100}), "0.008"),
    ("gpt-5.5", asked(300_000, 1000, input_tokens_details=cached(290_000)), "0.435"),
    ("gpt-5.5-codex", asked(40_022, 168, input_tokens_details=cached(400)), "0.20335"),
    ("gpt-5.1-codex", asked(1_000_000, 100_000), "2.25"),
    ("gpt-4.1", asked(10, 10), "0.0001"),
    ("gpt-5.6-sol", asked(1000, 10, input_tokens_details=cached(200, 300)), "0.00378"),
    ("gpt-6.1-sol", asked(123_456, 789, input_tokens_details=cached(100_000, 3_000)), "0.066302"),
]


@pytest.mark.parametrize(("model", "provider", "usage", "dollars"), GOLDEN)
def test_chat_completions_cost_what_the_price_list_says(
    model: str, provider: str, usage: dict[str, Any], dollars: str
) -> None:
    meter = chat(**usage)
    assert meter.complete
    assert price(model, provider).cost(meter.usage) == int(Decimal(dollars) * 1_000_000)


@pytest.mark.parametrize(("model", "usage", "dollars"), GOLDEN_RESPONSES)
def test_responses_cost_what_the_price_list_says(
    model: str, usage: dict[str, Any], dollars: str
) -> None:
    meter = responses(**usage)
    assert meter.complete
    assert price(model).cost(meter.usage) == int(Decimal(dollars) * 1_000_000)


PLAIN = [
    *((m, "chat", u) for m, p, u, _ in GOLDEN if p == "openai" and u["total_tokens"] != 1200),
    *((m, "responses", u) for m, u, _ in GOLDEN_RESPONSES),
]


@pytest.mark.parametrize(("model", "flavor", "usage"), PLAIN)
def test_the_price_lists_own_reading_of_the_reply_agrees(
    model: str, flavor: str, usage: dict[str, Any]
) -> None:
    usage = {name: value for name, value in usage.items() if value is not None}
    theirs = extract_usage(
        {"model": model, "usage": usage}, provider_id="openai", api_flavor=flavor
    )
    total = theirs.calc_price(genai_request_timestamp=datetime.fromtimestamp(AT, UTC)).total_price
    ours = price(model).cost(chat(**usage).usage)
    assert ours == (total * 1_000_000).to_integral_value(ROUND_CEILING)


@pytest.mark.parametrize(
    ("usage", "micros"),
    [
        ({"cost": 0.0123}, 12_300),
        ({"cost": 0}, 0),
        ({"cost": 1e-9}, 1),
        ({"cost": 0.001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.02}}, 21_000),
        ({"cost": 0.02, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.02}}, 20_000),
        ({"cost": -1}, None),
        ({"cost": 1e300}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_what_the_provider_says_it_costs(usage: dict[str, Any], micros: int | None) -> None:
    assert chat(**sent(10, 20), **usage).cost == micros


def frame(**chunk: Any) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


SAID = frame(choices=[{"delta": {"content": 'data: {"usage":{"prompt_tokens":0}}'}}])
STOPPED = frame(choices=[{"delta": {}, "finish_reason": "stop"}])
USED = frame(choices=[], usage=sent(7, 9, prompt_tokens_details=cached(2)))
DONE = b"data: [DONE]\n\n"
TOLD = Usage(input=5, output=9, cache_read=2)
COMPLETED = frame(
    type="response.completed", response={"usage": asked(7, 9, input_tokens_details=cached(2))}
)


@pytest.mark.parametrize(
    ("stream", "ended", "complete"),
    [
        (SAID + STOPPED + USED + DONE, True, True),
        (SAID + STOPPED + USED, True, True),
        (SAID + STOPPED + DONE, True, False),
        (SAID + STOPPED, False, False),
        (SAID, False, False),
        (SAID + USED, False, False),
        (b"", False, False),
        (SAID + frame(choices=[], usage={"prompt_tokens": -5, "completion_tokens": 9}) + DONE, True, False),
        (SAID + frame(choices=[], usage={"prompt_tokens": 1e99, "completion_tokens": 9}) + DONE, True, False),
        (SAID + frame(choices=[], usage="lots") + DONE, True, False),
    ],
)  # fmt: skip
def test_a_chat_stream_is_whole_when_it_says_so_and_known_when_it_says_how_much(
    stream: bytes, ended: bool, complete: bool
) -> None:
    meter = ChatMeter(streamed=True)
    meter.feed(stream)
    meter.end()
    assert (meter.ended, meter.complete) == (ended, complete)


@pytest.mark.parametrize(
    ("kind", "usage", "complete"),
    [
        ("response.completed", asked(7, 9), True),
        ("response.incomplete", asked(7, 9), True),
        ("response.failed", None, False),
    ],
)
def test_a_responses_stream_ends_in_one_of_three_ways(
    kind: str, usage: dict[str, Any] | None, complete: bool
) -> None:
    meter = ResponsesMeter(streamed=True)
    meter.feed(frame(type="response.created", response={"usage": None, "status": "in_progress"}))
    assert not meter.ended
    meter.feed(frame(type=kind, response={"usage": usage}))
    assert (meter.ended, meter.complete) == (True, complete)


@given(st.lists(st.integers(0, 10_000)), st.booleans())
def test_pieces_do_not_matter(cuts: list[int], is_chat: bool) -> None:
    stream = SAID + STOPPED + USED + DONE if is_chat else SAID + COMPLETED
    meter = ChatMeter(streamed=True) if is_chat else ResponsesMeter(streamed=True)
    edges = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})
    for begin, end in pairwise(edges):
        meter.feed(stream[begin:end])
    meter.end()
    assert (meter.usage, meter.complete) == (TOLD, True)


@given(st.binary(), st.booleans(), st.booleans())
def test_whatever_comes_it_is_read_without_a_failure_and_never_below_zero(
    data: bytes, streamed: bool, is_chat: bool
) -> None:
    meter = ChatMeter(streamed=streamed) if is_chat else ResponsesMeter(streamed=streamed)
    meter.feed(b"data: " + data + b"\n")
    meter.end()
    assert min(meter.usage.sent, meter.usage.output, meter.cost or 0) >= 0
