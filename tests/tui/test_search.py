"""Finding words in a diff and in a log."""

from hypothesis import given, settings
from hypothesis import strategies as st

from app.tui.model.diff import Diff
from app.tui.model.line import lit
from app.tui.screens.review import ReviewScreen
from tests.support.fleet import RecordedSwarm, app_over
from tests.support.screens import seen, settled, text_of

HEAD = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n"


def indexed(body: bytes) -> Diff:
    diff = Diff(HEAD + body)
    diff.scan()
    return diff


def test_the_next_row_with_the_words_is_found() -> None:
    assert indexed(b" one\n+two\n one\n").search("one", 2, 1) == 4


def test_the_row_before_is_found() -> None:
    assert indexed(b" one\n+two\n one\n").search("one", 4, -1) == 2


def test_at_the_end_it_goes_on_at_the_beginning() -> None:
    diff = indexed(b" one\n+two\n")
    assert diff.search("one", 3, 1) == 2
    assert diff.search("two", 2, -1) == 3


def test_small_letters_find_capitals_but_not_the_other_way_round() -> None:
    diff = indexed(b" Budget\n")
    assert diff.search("budget", 0, 1) == 2
    assert diff.search("BUDGET", 0, 1) is None


def test_file_names_are_found_too() -> None:
    assert indexed(b" one\n").search("x", 1, 1) == 0


BODIES = st.lists(
    st.tuples(st.sampled_from(" -+"), st.text("abc ", max_size=4)), min_size=1, max_size=600
)


@settings(max_examples=60, deadline=None)
@given(
    BODIES, st.text("abc", min_size=1, max_size=2), st.integers(0, 600), st.sampled_from((1, -1))
)
def test_it_is_the_row_a_reader_would_find(
    lines: list[tuple[str, str]], words: str, row: int, step: int
) -> None:
    diff = indexed(b"".join(f"{sign}{text}\n".encode() for sign, text in lines))
    row %= diff.rows
    order = [(row + step * distance) % diff.rows for distance in range(1, diff.rows + 1)]
    wanted = next((at for at in order if words in diff.row(at).text), None)
    assert diff.search(words, row, step) == wanted


def test_words_are_lit_also_across_pieces() -> None:
    assert lit([("def r", "a"), ("un()", "b")], "run") == [
        ("def ", "a"),
        ("r", "a found"),
        ("un", "b found"),
        ("()", "b"),
    ]


@given(
    st.lists(st.tuples(st.text("ab", max_size=5), st.just("i")), max_size=6),
    st.text("ab", min_size=1),
)
def test_lighting_changes_no_text(line: list[tuple[str, str]], words: str) -> None:
    assert "".join(text for text, _ in lit(line, words)) == "".join(text for text, _ in line)


async def test_words_are_found_in_a_review_while_they_are_typed(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("j", "enter")
        await seen(pilot, "file 1/4")
        screen = pilot.app.screen
        assert isinstance(screen, ReviewScreen)
        await pilot.press("slash", *"abort")
        await settled(pilot)
        place = screen.diff_view.place()
        assert place is not None
        assert place[0] == "src/api/merge.py"
        await pilot.press("enter", "n")
        assert screen.diff_view.has_focus
        assert screen.diff_view.place() == place


async def test_escape_goes_back_to_where_the_search_began(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("j", "enter")
        await seen(pilot, "file 1/4")
        screen = pilot.app.screen
        assert isinstance(screen, ReviewScreen)
        await pilot.press("j", "j")
        place = screen.diff_view.place()
        await pilot.press("slash", *"abort", "escape")
        assert screen.diff_view.place() == place
        assert screen.diff_view.has_focus
        await pilot.press("escape")
        await seen(pilot, "needs you first")


async def test_what_is_not_there_is_said(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("slash", *"zzz", "enter")
        await seen(pilot, "'zzz' is not in here")


async def test_a_log_is_searched_too(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(size=(100, 16), notifications=True) as pilot:
        await pilot.press("enter")
        await settled(pilot)
        word = "class Budget"
        assert word not in text_of(pilot.app)
        await pilot.press("slash", *(key if key != " " else "space" for key in word))
        await seen(pilot, word)
