"""What a program in a sandbox may do to the terminal of a person who looks at it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.terminal import Drawing
from tests.support.attacks import attack

PIECES = st.lists(
    st.sampled_from(
        [
            *(b"\x1b]0;", b"\x1b]52;c;", b"\x1bP", b"\x1b_", b"\x1b^", b"\x1bX", b"\x07", b"\x1b\\", b"\x9c"),
            *(b"\x1b[", b"\x9b", b"\xc2\x9b", b"31m", b"?1049h", b"?1049;9999h", b"2J", b"6n", b"21t", b"5i"),
            *(b"text", b"\xe2\x80\xae", "é漢".encode(), b"\xff", b"\x18", b"\n", b"\r", b"\x1b", b"\x1bc", b"(0"),
        ]
    )
    | st.binary(max_size=6),
    max_size=20,
)  # fmt: skip
SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[()][0AB]|[78DEHM=>])")


def shown(*pieces: bytes) -> bytes:
    drawing = Drawing()
    return b"".join(drawing.feed(piece) for piece in pieces)


@pytest.mark.parametrize(
    "drawn",
    [
        b"words and \xc3\xa9 and \xe6\xbc\xa2",
        b"\x1b[31;1mred\x1b[0m",
        b"\x1b[38;2;1;2;3mrgb",
        b"\x1b[2J\x1b[H\x1b[10;20Hthere",
        b"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?2026h",
        b"\x1b7\x1b[1A\x1b8",
        b"\x1b(0lqk\x1b(B",
        b"\x1b[6n\x1b[c",
        b"\x1b[>1u\x1b[<u",
        b"a\r\n\tb\b",
    ],
)
def test_what_draws_goes_through(drawn: bytes) -> None:
    assert shown(drawn) == drawn


@attack("U01")
@pytest.mark.parametrize(
    "hostile",
    [
        b"\x1b]0;title\x07",
        b"\x1b]52;c;ZXZpbA==\x1b\\",
        b"\x1b]8;;http://evil\x1b\\",
        b"\x1b]9;notice\x07",
        b'\x1bP$q"p\x1b\\',
        b"\x1b_Gf=100;AAAA\x1b\\",
        b"\x1b[21t\x1b[8;10;10t",
        b"\x1b[5i",
        b"\x1bc",
        b"\x1b[?9999h",
        b"\x07\x05\x00",
        b"\xc2\x9b\xc2\x9d",
        "\u202e\u200b".encode(),
    ],
)
def test_what_does_more_than_draw_does_not(hostile: bytes) -> None:
    assert shown(b"<", hostile, b">") == b"<>"


def test_of_several_modes_the_known_ones_go_through() -> None:
    assert shown(b"\x1b[?1049;9999;25h") == b"\x1b[?1049;25h"


def test_an_unfinished_title_ends_with_the_next_sequence() -> None:
    assert shown(b"\x1b]0;never ended\x1b[31mred") == b"\x1b[31mred"


@given(PIECES)
def test_however_it_is_cut_the_same_is_shown(pieces: list[bytes]) -> None:
    assert shown(*pieces) == shown(b"".join(pieces))


@attack("U01")
@given(PIECES)
def test_nothing_but_whole_known_sequences_and_text_comes_out(pieces: list[bytes]) -> None:
    rest = SEQUENCE.sub(b"", shown(*pieces)).decode()
    assert not [
        char for char in rest if (char < " " and char not in "\b\t\n\r") or "\x7f" <= char <= "\x9f"
    ]
