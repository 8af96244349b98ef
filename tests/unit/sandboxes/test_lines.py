"""Cutting output into lines."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.docker_box import Assembler, nanoseconds
from sandboxes.lines import LineCutter, exit_of, tail_of
from sandboxes.spec import MAX_LINE, Line


def cut(*pieces: bytes) -> list[Line]:
    cutter = LineCutter()
    lines = [line for piece in pieces for line in cutter.feed(piece)]
    return [*lines, *cutter.end()]


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_lines_do_not_depend_on_how_the_output_comes_in_pieces(
    data: bytes, cuts: list[int]
) -> None:
    places = [0, *sorted(cuts), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(places)]
    assert cut(*pieces) == cut(data)


def test_a_position_is_just_past_the_lines_end() -> None:
    assert cut(b"ab\n\nc") == [Line(3, "ab"), Line(4, ""), Line(5, "c")]


def test_a_line_is_cut_at_its_limit_but_counted_in_full() -> None:
    assert cut(b"a" * (MAX_LINE + 5) + b"\nb\n")[1] == Line(MAX_LINE + 8, "b")


def test_a_limit_counts_characters_not_bytes() -> None:
    assert len(cut("é".encode() * (MAX_LINE + 5))[0].text) == MAX_LINE


def test_the_tail_of_errors_may_start_in_the_middle_of_a_character() -> None:
    assert tail_of("é".encode() * 5000)[-3:] == "ééé"


@pytest.mark.parametrize(
    ("code", "starved", "reason"),
    [
        (0, False, "exited"),
        (1, False, "exited"),
        (0, True, "exited"),
        (2, True, "oom"),
        (137, True, "oom"),
        (137, False, "killed"),
        (143, False, "killed"),
        (128, False, "exited"),
        (255, False, "exited"),
    ],
)
def test_the_reason_of_an_end_is_told_from_code_and_memory(
    code: int, starved: bool, reason: str
) -> None:
    assert exit_of(code, starved=starved).reason == reason


def entry(nanosecond: int, text: bytes) -> bytes:
    return b"2026-11-20T10:00:00.%09dZ " % nanosecond + text


def assembled(*entries: bytes) -> list[Line]:
    assembler = Assembler()
    return [line for one in entries for line in assembler.feed(one)]


START = nanoseconds("2026-11-20T10:00:00.000000000Z")


def test_the_engines_time_is_read_to_the_nanosecond() -> None:
    assert nanoseconds("1970-01-02T00:00:01.000000002Z") == 86_401 * 10**9 + 2


def test_entries_without_an_end_are_one_line_at_the_first_ones_time() -> None:
    lines = assembled(entry(1, b"one "), entry(2, b"two "), entry(3, b"three\n"))
    assert lines == [Line(START + 1, "one two three")]


def test_lines_of_the_same_nanosecond_have_growing_positions() -> None:
    lines = assembled(entry(7, b"a\n"), entry(7, b"b\n"), entry(8, b"c\n"))
    assert lines == [Line(START + 7, "a"), Line(START + 8, "b"), Line(START + 9, "c")]


def test_positions_grow_though_the_clock_goes_back() -> None:
    lines = assembled(entry(9, b"a\n"), entry(2, b"b\n"))
    assert lines == [Line(START + 9, "a"), Line(START + 10, "b")]
