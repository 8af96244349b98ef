"""A diff side by side: the old text left of the new."""

from hypothesis import given, settings
from hypothesis import strategies as st

from app.tui.model.diff import Diff
from app.tui.model.split import Split

HEAD = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n"


def split(body: bytes, *, size: int | None = None) -> Split:
    diff = Diff(HEAD + body)
    found = Split(diff)
    while not diff.done:
        diff.scan(size)
        found.grow()
    return found


def sides(found: Split) -> list[tuple[str, str]]:
    """Sign and text of both sides of every line below the hunk's head."""
    pairs = (found.pair(line) for line in range(2, found.rows))
    return [(said(found, left), said(found, right)) for left, right in pairs]


def said(found: Split, row: int | None) -> str:
    if row is None:
        return ""
    shown = found.diff.row(row)
    return shown.sign + shown.text


def test_a_changed_line_stands_beside_what_it_was() -> None:
    assert sides(split(b" a\n-b\n+B\n c\n")) == [(" a", " a"), ("-b", "+B"), (" c", " c")]


def test_where_more_is_added_than_removed_the_left_side_stays_empty() -> None:
    assert sides(split(b"-b\n+B\n+C\n")) == [("-b", "+B"), ("", "+C")]


def test_where_more_is_removed_than_added_the_right_side_stays_empty() -> None:
    assert sides(split(b"-a\n-b\n+B\n c\n")) == [("-a", "+B"), ("-b", ""), (" c", " c")]


def test_two_changes_in_a_row_stay_apart() -> None:
    assert sides(split(b"-a\n+A\n-b\n+B\n")) == [("-a", "+A"), ("-b", "+B")]


def test_headings_stand_on_both_sides() -> None:
    found = split(b" a\n")
    assert [found.pair(line) for line in (0, 1)] == [(0, 0), (1, 1)]


def test_git_s_remark_stays_with_its_side() -> None:
    body = b"-a\n\\ No newline at end of file\n+b\n"
    assert sides(split(body)) == [("-a", "+b"), ("\\ No newline at end of file", "")]


def test_an_empty_context_line_is_context() -> None:
    assert sides(split(b"-a\n+A\n\n b\n")) == [("-a", "+A"), (" ", " "), (" b", " b")]


BODIES = st.lists(
    st.tuples(st.sampled_from("   -+"), st.text("xyz", max_size=3)), min_size=1, max_size=700
).map(lambda lines: b"".join(f"{sign}{text}\n".encode() for sign, text in lines))


@settings(max_examples=60, deadline=None)
@given(BODIES, st.integers(1, 4000))
def test_every_row_stands_in_one_line_and_is_found_there(body: bytes, size: int) -> None:
    found = split(body, size=size)
    seen = [row for line in range(found.rows) for row in {*found.pair(line)} if row is not None]
    assert sorted(seen) == list(range(found.diff.rows))
    assert all(row in found.pair(found.line(row)) for row in range(found.diff.rows))


@settings(max_examples=60, deadline=None)
@given(BODIES)
def test_each_side_reads_in_order(body: bytes) -> None:
    found = split(body)
    for side in (0, 1):
        rows = [found.pair(line)[side] for line in range(found.rows)]
        kept = [row for row in rows if row is not None]
        assert kept == sorted(kept)
