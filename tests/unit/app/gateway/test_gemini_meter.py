"""Usage as Gemini's API writes it, and what it costs, exactly."""

import json
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise
from typing import Any

import pytest
from genai_prices import extract_usage
from hypothesis import given
from hypothesis import strategies as st

from app.gateway.gemini_meter import GeminiMeter
from app.gateway.prices import Price, Prices, Usage
from app.gateway.settings import GatewaySettings, Upstream

AT = 1_795_000_000.0
"""A moment in November 2026: prices are dated."""
PRICES = Prices(GatewaySettings(upstreams=(Upstream(name="u", url="http://u"),)))
STOPPED = {"candidates": [{"content": {"parts": []}, "finishReason": "STOP", "index": 0}]}


def price(model: str) -> Price:
    found = PRICES.find(model, AT, provider="google")
    assert isinstance(found, Price)
    return found


def whole(usage: dict[str, Any]) -> GeminiMeter:
    """The meter after a whole reply with that usage."""
    meter = GeminiMeter(streamed=False)
    meter.feed(json.dumps(STOPPED | {"usageMetadata": usage}).encode())
    meter.end()
    return meter


def used(prompt: int, written: int, **more: int) -> dict[str, Any]:
    total = prompt + written + more.get("thoughtsTokenCount", 0)
    return {
        "promptTokenCount": prompt,
        "candidatesTokenCount": written,
        "totalTokenCount": total,
        **more,
    }


GOLDEN: list[tuple[str, dict[str, Any], str]] = [
    ("gemini-2.5-pro", used(1000, 100), "0.00225"),
    ("gemini-2.5-pro", used(1000, 100, thoughtsTokenCount=900), "0.01125"),
    ("gemini-2.5-pro", used(1000, 100, cachedContentTokenCount=400), "0.0018"),
    ("gemini-2.5-pro", used(1000, 100, cachedContentTokenCount=1000), "0.001125"),
    ("gemini-2.5-pro", used(200_000, 100), "0.251"),
    ("gemini-2.5-pro", used(200_001, 100), "0.5015025"),
    ("gemini-2.5-flash", used(1_000_000, 0), "0.3"),
    ("gemini-2.5-flash", used(0, 1_000_000), "2.5"),
    ("gemini-2.5-pro", used(0, 0), "0"),
]


@pytest.mark.parametrize(("model", "usage", "dollars"), GOLDEN)
def test_it_costs_what_the_price_list_says(model: str, usage: dict[str, Any], dollars: str) -> None:
    meter = whole(usage)
    assert meter.complete
    micros = (Decimal(dollars) * 1_000_000).to_integral_value(ROUND_CEILING)
    assert price(model).cost(meter.usage) == micros


@pytest.mark.parametrize(("model", "usage", "dollars"), GOLDEN)
def test_the_price_lists_own_reading_of_the_reply_agrees(
    model: str, usage: dict[str, Any], dollars: str
) -> None:
    theirs = extract_usage({"modelVersion": model, "usageMetadata": usage}, provider_id="google")
    total = theirs.calc_price(genai_request_timestamp=datetime.fromtimestamp(AT, UTC)).total_price
    assert Decimal(dollars) == total
    ours = price(model).cost(whole(usage).usage)
    assert ours == (total * 1_000_000).to_integral_value(ROUND_CEILING)


def test_what_a_tool_of_the_providers_read_is_paid_as_sent() -> None:
    usage = whole(used(100, 10, toolUsePromptTokenCount=50)).usage
    assert (usage.sent, usage.output) == (150, 10)


def test_what_only_the_total_counts_was_written() -> None:
    usage = whole({"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 115}).usage
    assert usage.output == 105


def frame(**chunk: Any) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n"


SAID = frame(
    candidates=[{"content": {"parts": [{"text": 'data: {"usageMetadata":{}}'}]}}],
    usageMetadata=used(7, 1),
)
LAST = frame(**STOPPED, usageMetadata=used(7, 9, cachedContentTokenCount=2))
TOLD = Usage(input=5, output=9, cache_read=2)
BLOCKED = {"promptFeedback": {"blockReason": "SAFETY"}}


@pytest.mark.parametrize(
    ("stream", "ended", "complete"),
    [
        (SAID + LAST, True, True),
        (SAID + frame(**STOPPED) + frame(usageMetadata=used(7, 9)), True, True),
        (frame(**BLOCKED, usageMetadata=used(7, 0)), True, True),
        (SAID + frame(**STOPPED), True, False),
        (SAID, False, False),
        (b"", False, False),
        (SAID + frame(error={"code": 503, "message": '"finishReason"'}), False, False),
        (SAID + frame(**STOPPED, usageMetadata={"promptTokenCount": -5}), False, False),
        (SAID + frame(**STOPPED, usageMetadata={"promptTokenCount": 1e99}), False, False),
        (SAID + frame(**STOPPED, usageMetadata={"candidatesTokenCount": 5}), True, False),
        (SAID + frame(**STOPPED, usageMetadata="lots"), False, False),
    ],
)
def test_a_stream_is_whole_when_it_says_so_and_known_when_it_says_how_much(
    stream: bytes, ended: bool, complete: bool
) -> None:
    meter = GeminiMeter(streamed=True)
    meter.feed(stream)
    meter.end()
    assert (meter.ended, meter.complete) == (ended, complete)


@given(st.lists(st.integers(0, 10_000)))
def test_pieces_do_not_matter(cuts: list[int]) -> None:
    stream = SAID + LAST
    meter = GeminiMeter(streamed=True)
    edges = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})
    for begin, end in pairwise(edges):
        meter.feed(stream[begin:end])
    meter.end()
    assert (meter.usage, meter.complete) == (TOLD, True)


@given(st.binary(), st.booleans())
def test_whatever_comes_it_is_read_without_a_failure_and_never_below_zero(
    data: bytes, streamed: bool
) -> None:
    meter = GeminiMeter(streamed=streamed)
    meter.feed(b"data: " + data + b"\n")
    meter.end()
    assert min(meter.usage.sent, meter.usage.output) >= 0
