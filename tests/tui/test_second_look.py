"""A review looked at again: what is new, what became of the comments, what is still to be viewed."""

import pytest
from msgspec.structs import replace

from app.domain.ids import ReviewId, RunId
from app.domain.review import Comment, Verdict
from app.wire import Approve
from tests.support.fleet import NOW, RecordedSwarm, swap
from tests.support.fleet import app_over as app_of
from tests.support.screens import in_review, seen, settled

RUN = RunId("k3f9m.1")
BEFORE = "a" * 40
NEWS = b"""\
diff --git a/src/api/merge.py b/src/api/merge.py
--- a/src/api/merge.py
+++ b/src/api/merge.py
@@ -12,3 +12,3 @@
 context
-    time.sleep(2)
+    index.wait_free(timeout=5)
 context
"""


@pytest.fixture
def swarm(swarm: RecordedSwarm) -> RecordedSwarm:
    """The story's review, in its second round; two comments were sent after the first."""
    (first,) = swarm.recording.reviews
    second = replace(first, id=ReviewId("k3f9m.1-r2"), round=2, opened=NOW - 60)
    decided = replace(
        first, result_tree=BEFORE, verdict=Verdict.CHANGES, decided=NOW - 300, opened=NOW - 660
    )
    swarm.recording.reviews = [decided, second]
    swarm.recording.since[BEFORE] = NEWS
    swarm.recording.comments = [
        Comment(
            run=RUN, number=number, path="src/api/merge.py", line=line, text=text, by="ada",
            at=NOW - 400, sent=True,
        )
        for number, line, text in ((1, 13, "wait for the index"), (2, 14, "name the test"))
    ]  # fmt: skip
    swap(swarm.recording, "k3f9m", review=second.id)
    return swarm


async def test_one_key_shows_only_what_is_new_and_the_same_key_everything_again(
    swarm: RecordedSwarm,
) -> None:
    async with app_of(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await in_review(pilot)
        await pilot.press("L")
        screen = await seen(pilot, "since you looked · file 1/1")
        assert "index.wait_free" in screen
        await pilot.press("L")
        await seen(pilot, "file 1/4")


async def test_each_comment_says_what_became_of_it(swarm: RecordedSwarm) -> None:
    async with app_of(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await in_review(pilot)
        screen = await seen(pilot, "2 comments, 1 open, 1 addressed")
        assert "src/api/merge.py:13  addressed" in screen
        assert "src/api/merge.py:14  open" in screen


async def test_keys_go_from_one_comment_to_the_next_and_back(swarm: RecordedSwarm) -> None:
    # Where the lines of the comments are now: the first was changed, so it stands where its new text is.
    async with app_of(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        screen = await in_review(pilot)
        assert screen.look is not None
        view = screen.diff_view
        rows = sorted(row for said in screen.look.followed if (row := view.diff.find(*said.place)))
        assert len(rows) == 2
        seen_at = []
        for key in (">", ">", ">", "<", "<"):
            await pilot.press(key)
            await settled(pilot)
            seen_at.append(view.row)
        assert seen_at == [rows[0], rows[1], rows[0], rows[1], rows[0]]


async def test_without_comments_the_key_says_so(swarm: RecordedSwarm) -> None:
    swarm.recording.comments = []
    async with app_of(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await in_review(pilot)
        await pilot.press(">")
        await seen(pilot, "there is no comment in what is shown")


async def test_what_was_viewed_and_did_not_change_stays_viewed(swarm: RecordedSwarm) -> None:
    app = app_of(swarm)
    app.desk.viewed[ReviewId("k3f9m.1-r1")] = frozenset({"src/api/merge.py", "docs/merge.md"})
    async with app.run_test(notifications=True, size=(160, 48)) as pilot:
        screen = await in_review(pilot)
        assert screen.viewed == {"docs/merge.md"}


async def test_v_goes_to_the_next_file_that_is_not_viewed(swarm: RecordedSwarm) -> None:
    async with app_of(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        screen = await in_review(pilot)
        screen.desk.viewed[ReviewId("k3f9m.1-r2")] = frozenset(
            file.path for file in screen.diff_view.diff.files[:3]
        )
        await pilot.press("v")
        await seen(pilot, "file 4/4")


async def test_a_parenthesis_goes_to_the_one_before(swarm: RecordedSwarm) -> None:
    async with app_of(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        screen = await in_review(pilot)
        files = screen.diff_view.diff.files
        screen.desk.viewed[ReviewId("k3f9m.1-r2")] = frozenset({files[1].path, files[3].path})
        for key, place in (("(", "file 3/4"), ("(", "file 1/4"), (")", "file 3/4")):
            await pilot.press(key)
            await seen(pilot, place)


async def test_the_first_look_has_nothing_to_compare_with(swarm: RecordedSwarm) -> None:
    swarm.recording.reviews = swarm.recording.reviews[1:]
    async with app_of(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await in_review(pilot)
        await pilot.press("L")
        await seen(pilot, "you have not looked at this before")


async def test_the_commit_says_what_the_person_wrote(swarm: RecordedSwarm) -> None:
    async with app_of(swarm).run_test(notifications=True, size=(80, 30)) as pilot:
        await in_review(pilot)
        await pilot.press("M")
        await seen(pilot, "commit   fix the flaky test of two merges at once")
        await pilot.press("space", "e")
        await seen(pilot, "what the commit says")
        await pilot.press("!", "ctrl+s")
        await seen(pilot, "two merges at once!")
        await pilot.press("M")
        await seen(pilot, "approved and lands")
    ((_verb, _run, body),) = swarm.asked
    assert isinstance(body, Approve)
    assert body.message == "fix the flaky test of two merges at once!"
