"""Comments after the agent's turn: addressed, outdated or open, and where their lines are now."""

import difflib

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domain.ids import RunId
from app.domain.review import Comment, Review
from app.tui.model.diff import Diff
from app.tui.model.fates import Fate, earlier_trees, follow, looked_at, made_on
from tests.support.fleet import NOW, review

RUN = RunId("k3f9m.1")
OLD = [f"line {number}" for number in range(1, 31)]


def round_of(number: int, tree: str) -> Review:
    made = replace(review(RUN, ()), round=number, result_tree=tree)
    return replace(made, opened=NOW + 100 * number)


FIRST, SECOND = round_of(1, "1" * 40), round_of(2, "2" * 40)


def said(line: int, *, at: float = NOW + 150, sent: bool = True, path: str = "f") -> Comment:
    return Comment(run=RUN, number=1, path=path, line=line, text="?", by="ada", at=at, sent=sent)


def changed(new: list[str], old: list[str] = OLD) -> Diff:
    """As git prints it: three lines around each change."""
    body = list(difflib.unified_diff(old, new, "a/f", "b/f", lineterm=""))
    diff = Diff("\n".join(["diff --git a/f b/f", *body, ""]).encode() if body else b"")
    diff.scan()
    return diff


def fate(line: int, new: list[str]) -> tuple[Fate, int]:
    (found,) = follow([said(line)], [FIRST, SECOND], {FIRST.result_tree: changed(new)})
    return found.fate, found.line


def test_a_line_that_was_changed_is_addressed() -> None:
    assert fate(10, [*OLD[:9], "better", *OLD[10:]]) == (Fate.ADDRESSED, 10)


def test_a_line_that_is_as_it_was_is_open_where_it_is_now() -> None:
    assert fate(20, ["new", "new", *OLD]) == (Fate.OPEN, 22)


def test_a_line_that_is_gone_is_outdated() -> None:
    assert fate(10, [*OLD[:9], *OLD[10:]]) == (Fate.OUTDATED, 10)


def test_a_line_beside_a_changed_one_is_open() -> None:
    assert fate(11, [*OLD[:9], "better", "and more", *OLD[10:]]) == (Fate.OPEN, 12)


def test_a_line_whose_file_is_gone_is_outdated() -> None:
    gone = Diff(
        b"diff --git a/f b/f\ndeleted file mode 100644\n--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-line 1\n"
    )
    gone.scan()
    (found,) = follow([said(1)], [FIRST, SECOND], {FIRST.result_tree: gone})
    assert found.fate is Fate.OUTDATED


def test_what_was_not_sent_is_a_draft_whatever_became_of_its_line() -> None:
    new = [*OLD[:9], "better", *OLD[10:]]
    (found,) = follow([said(10, sent=False)], [FIRST, SECOND], {FIRST.result_tree: changed(new)})
    assert found.fate is Fate.DRAFT


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["keep", "drop", "change", "insert"]), min_size=30, max_size=30))
def test_a_line_that_is_kept_is_found_wherever_it_went(edits: list[str]) -> None:
    new: list[str] = []
    for line, edit in zip(OLD, edits, strict=True):
        new += {"keep": [line], "drop": [], "change": [line + "!"], "insert": ["+" + line, line]}[
            edit
        ]
    comments = [said(number) for number in range(1, len(OLD) + 1)]
    followed = follow(comments, [FIRST, SECOND], {FIRST.result_tree: changed(new)})
    for line, found in zip(OLD, followed, strict=True):
        if line in new:
            assert (found.fate, new[found.line - 1]) == (Fate.OPEN, line)
        else:
            assert found.fate in {Fate.ADDRESSED, Fate.OUTDATED}


def test_a_comment_belongs_to_the_review_that_was_open_when_it_was_written() -> None:
    reviews = [FIRST, SECOND]
    assert made_on(said(1, at=NOW + 150), reviews) is FIRST
    assert made_on(said(1, at=NOW + 250), reviews) is SECOND


def test_only_trees_of_earlier_looks_have_to_be_compared() -> None:
    comments = [said(1, at=NOW + 150), said(2, at=NOW + 250)]
    assert earlier_trees(comments, [FIRST, SECOND], SECOND) == {FIRST.result_tree}


def test_what_the_screen_showed_last_is_what_was_looked_at() -> None:
    assert looked_at([FIRST, SECOND], SECOND, ["9" * 40, SECOND.result_tree]) == "9" * 40
    assert looked_at([FIRST, SECOND], SECOND, []) == FIRST.result_tree
    assert looked_at([FIRST], FIRST, []) == ""
