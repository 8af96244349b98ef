"""What agents write cannot move the cursor, hide, or reorder what is read."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.safe import clean, clean_line

HOSTILE = [
    "\x1b]52;c;aGk=\x07",
    "\x1b]0;title\x07",
    "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
    "\x1b[2J\x1b[1;1H",
    "\x1bPq\x1b\\",
    "\x9b31m",
    "\x9d0;t\x9c",
    "safe\rEVIL",
    "a\x08b",
    "\x00",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "a\u200bb",
    "\U000e0041\U000e007f",
    "\u3164",
    "\ufe0f",
    "\ud800",
    "\u2028",
    "\ue000",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_does_not_print_is_left(text: str) -> None:
    odd = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not [c for c in clean(text) if unicodedata.category(c) in odd]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_was_hostile_stays_visible(text: str) -> None:
    assert clean(text) != text
    assert clean(text)


@given(st.text(st.characters()))
def test_cleaning_leaves_only_line_ends_and_what_prints(text: str) -> None:
    shown = clean(text).replace("\n", "")
    assert all(c.isprintable() or unicodedata.category(c) == "Zs" for c in shown)


@given(st.text(st.characters()))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text(st.characters()))
def test_a_cleaned_line_is_one_line(text: str) -> None:
    assert len(clean_line(text).splitlines()) <= 1


@pytest.mark.parametrize(
    "text", ["plain", "größer 日本語 Ελληνικά", "x = 'a' # ok", "a\nb", "🎉 done ✔"]
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert clean(text) == text


def test_a_control_character_becomes_its_picture() -> None:
    assert clean("\x1b[31mred") == "␛[31mred"


def test_a_bidi_override_is_named() -> None:
    assert clean("\u202e") == "<U+202E>"


def test_a_letter_that_passes_for_another_is_named() -> None:
    assert clean("p\u0430ssword") == "p<U+0430>ssword"


def test_a_tab_takes_four_columns() -> None:
    assert clean("a\tb") == "a    b"


def test_a_carriage_return_at_a_line_end_is_shown() -> None:
    assert clean("a\r\nb") == "a␍\nb"


@pytest.mark.parametrize(
    "marks", ["\u0301", "\u0e49", "\u0650", "\u3099", "\ufe20", "\u0301\u0951\u20dd"]
)
def test_a_tower_of_marks_is_cut(marks: str) -> None:
    assert clean("e" + marks * 50 + "x") == "e" + (marks * 4)[:4] + "<…>x"


def test_a_line_is_cut_to_its_width() -> None:
    assert clean_line("abcdef", 4) == "abc…"


def test_line_ends_inside_a_line_are_shown() -> None:
    assert clean_line("a\nb") == "a⏎b"
