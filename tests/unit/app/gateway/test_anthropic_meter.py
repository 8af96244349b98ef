"""The meter: the same usage however the bytes are cut, and complete only when the provider said the end."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.gateway.anthropic_meter import MessagesMeter
from app.gateway.lines import LINE_LIMIT
from app.gateway.prices import Usage


def event(**fields: Any) -> bytes:
    return f"event: {fields['type']}\ndata: {json.dumps(fields)}\n\n".encode()


def start(**usage: Any) -> bytes:
    return event(type="message_start", message={"id": "m", "usage": usage})


def delta(stop: str | None = "end_turn", **usage: Any) -> bytes:
    return event(type="message_delta", delta={"stop_reason": stop}, usage=usage)


TEXT = event(
    type="content_block_delta", delta={"type": "text_delta", "text": 'a "message_delta" ☃'}
)
STREAM = (
    start(
        input_tokens=10, output_tokens=1, cache_read_input_tokens=20, cache_creation_input_tokens=30
    )
    + TEXT
    + delta(output_tokens=40)
    + event(type="message_stop")
)


def meter(data: bytes, *, streamed: bool = True, long_cache: bool = False) -> MessagesMeter:
    one = MessagesMeter(streamed=streamed, long_cache=long_cache)
    one.feed(data)
    one.end()
    return one


def test_a_stream_is_metered_from_its_start_and_its_last_delta() -> None:
    read = meter(STREAM)
    assert read.usage == Usage(input=10, output=40, cache_read=20, cache_write=30)
    assert read.complete


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_where_the_bytes_are_cut_makes_no_difference(cuts: list[int]) -> None:
    one = MessagesMeter(streamed=True, long_cache=False)
    places = [0, *sorted(cuts), len(STREAM)]
    for begin, end in itertools.pairwise(places):
        one.feed(STREAM[begin:end])
    one.end()
    assert (one.usage, one.complete) == (meter(STREAM).usage, True)


@given(st.integers(0, len(STREAM) - 1))
def test_a_stream_cut_before_its_last_delta_is_never_complete(length: int) -> None:
    one = MessagesMeter(streamed=True, long_cache=False)
    one.feed(STREAM[:length])
    seen_all = (
        STREAM.index(b'"stop_reason"') < length
        and b"\n" in STREAM[STREAM.index(b'"stop_reason"') : length]
    )
    assert one.complete == seen_all


@given(st.binary(max_size=300))
def test_no_bytes_break_the_meter(data: bytes) -> None:
    for streamed in (True, False):
        assert not meter(b'data: {"type": "message_' + data, streamed=streamed).complete


def test_carriage_returns_at_line_ends_are_fine() -> None:
    assert meter(STREAM.replace(b"\n", b"\r\n")).usage == meter(STREAM).usage


def test_text_that_looks_like_an_event_counts_nothing() -> None:
    fake = json.dumps({"type": "message_delta", "usage": {"output_tokens": 9999}})
    hostile = event(
        type="content_block_delta", delta={"type": "text_delta", "text": f"data: {fake}"}
    )
    assert meter(start(input_tokens=1) + hostile).usage == Usage(input=1)


def test_an_endless_line_does_not_fill_the_memory_and_does_not_hide_the_end() -> None:
    one = MessagesMeter(streamed=True, long_cache=False)
    one.feed(start(input_tokens=1) + b"data: ")
    for _ in range(64):
        one.feed(b"x" * 256 * 1024)
    assert len(one._lines._rest) <= LINE_LIMIT
    one.feed(b"\n\n" + delta(output_tokens=7))
    assert (one.usage.output, one.complete) == (7, True)


SPLIT = {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}


@pytest.mark.parametrize(
    ("usage", "long_cache", "expected"),
    [
        ({"cache_creation_input_tokens": 30}, False, Usage(cache_write=30)),
        ({"cache_creation_input_tokens": 30}, True, Usage(cache_write_long=30)),
        (
            {"cache_creation_input_tokens": 30, "cache_creation": SPLIT},
            True,
            Usage(cache_write=10, cache_write_long=20),
        ),
        (
            {"cache_creation_input_tokens": 35, "cache_creation": SPLIT},
            True,
            Usage(cache_write=10, cache_write_long=25),
        ),
        ({"input_tokens": None, "cache_read_input_tokens": None}, False, Usage()),
        (
            {"input_tokens": 5, "output_tokens": 5, "iterations": [
                {"type": "compaction", "input_tokens": 100, "output_tokens": 50},
                {"type": "message", "input_tokens": 5, "output_tokens": 5},
            ]},
            False,
            Usage(input=105, output=55),
        ),
    ],
)  # fmt: skip
def test_usage_is_read_field_by_field(
    usage: dict[str, Any], long_cache: bool, expected: Usage
) -> None:
    told = json.dumps({"usage": usage}).encode()
    assert meter(told, streamed=False, long_cache=long_cache).usage == expected


def test_a_split_told_only_at_the_start_is_not_counted_again_at_the_end() -> None:
    data = start(cache_creation_input_tokens=30, cache_creation=SPLIT) + delta(
        cache_creation_input_tokens=30, output_tokens=1
    )
    read = meter(data, long_cache=True).usage
    assert (read.cache_write, read.cache_write_long) == (10, 20)


def test_a_whole_reply_is_metered_at_its_end() -> None:
    one = meter(
        json.dumps({"usage": {"input_tokens": 3, "output_tokens": 4}}).encode(), streamed=False
    )
    assert (one.usage, one.complete) == (Usage(input=3, output=4), True)


def test_a_whole_reply_that_is_cut_is_not_complete() -> None:
    assert not meter(b'{"usage": {"input_tokens": 3, "output_tokens": 4}', streamed=False).complete


def test_a_delta_without_a_stop_reason_is_not_the_end() -> None:
    assert not meter(start(input_tokens=1) + delta(None, output_tokens=5)).complete
