"""Marks on the words that differ, and text in cells."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.safe import clean
from app.tui.model.line import cells, clip, fit, right, spread, wrap
from app.tui.model.words import compare, word_marks


def marked(text: str, marks: tuple[tuple[int, int], ...]) -> list[str]:
    return [text[start:end] for start, end in marks]


def test_the_word_that_changed_is_marked_on_both_sides() -> None:
    old, new = "    total: Decimal", "    limit: Decimal"
    left, right_marks = compare(old, new)
    assert (marked(old, left), marked(new, right_marks)) == (["total"], ["limit"])


def test_lines_that_have_nothing_to_do_with_each_other_are_not_marked() -> None:
    assert compare('out = git("merge", run.branch)', "with lock(run.repo):") == ((), ())


def test_very_long_lines_are_not_compared() -> None:
    assert compare("x " * 300, "y " * 300) == ((), ())


def test_the_first_removed_line_is_held_against_the_first_added_one() -> None:
    signs = ["-", "-", "+", "+"]
    texts = ["keep this one", "keep this two", "keep this uno", "keep this dos"]
    marks = word_marks(signs, texts)
    assert [marked(text, mark) for text, mark in zip(texts, marks, strict=True)] == [
        ["one"],
        ["two"],
        ["uno"],
        ["dos"],
    ]


@given(st.text(max_size=80), st.text(max_size=80))
def test_marks_lie_inside_their_lines(old: str, new: str) -> None:
    left, right_marks = compare(old, new)
    assert all(0 <= start < end <= len(old) for start, end in left)
    assert all(0 <= start < end <= len(new) for start, end in right_marks)


shown = st.text(st.characters(blacklist_categories=("C", "M", "Z")), max_size=60)


@given(shown, st.integers(1, 40))
def test_fitting_gives_exactly_the_cells(text: str, width: int) -> None:
    assert (cells(fit(text, width)), cells(right(text, width))) == (width, width)


@given(shown, st.integers(1, 40))
def test_clipping_never_gives_more(text: str, width: int) -> None:
    assert cells(clip(text, width)) <= width


@given(st.text(max_size=200), st.integers(8, 60))
def test_wrapped_lines_fit_and_hold_every_word(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(cells(line) <= width for line in lines)


def test_wrapping_breaks_at_spaces() -> None:
    assert wrap("the quick brown fox", 12) == ["the quick", "brown fox"]


def test_the_right_end_stays_when_there_is_no_room() -> None:
    line = spread([("a very long beginning", "")], [("end", "")], 12)
    assert "".join(text for text, _ink in line) == "a very…  end"


@given(st.text(st.sampled_from("ab 中é\u0301👩✗"), max_size=120), st.integers(8, 30))
def test_wrapping_loses_nothing_but_the_spaces_where_it_breaks(text: str, width: int) -> None:
    shown = clean(text).rstrip()
    assert "".join("".join(wrap(text, width)).split()) == "".join(shown.split())


def test_a_megabyte_without_a_space_is_wrapped_in_one_pass() -> None:
    lines = wrap("中" * 1_000_000, 80)
    assert len(lines) == 25_000
    assert {cells(line) for line in lines} == {80}
