"""A review: what is approved is what was on the screen, and nothing else."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from app import wire
from app.domain import events as own
from app.domain.errors import NotNow
from app.domain.ids import ReviewId, RunId
from app.domain.review import FileChange, Finding, Severity, TurnCommit, Verdict
from app.domain.run import RunState
from app.tui.screens.facts import fact_lines
from app.tui.screens.review import refusal
from app.wire import Act, Approve, Changes, NewComment
from tests.support.fleet import RecordedSwarm, Recording, app_over, review, row, swap
from tests.support.screens import in_review, seen, settled, text_of

RUN = RunId("k3f9m.1")
TREE = "7be21a4f0c9d5e6b8a1f2c3d4e5f60718293a4b5"


async def test_a_run_that_waits_for_a_verdict_opens_as_a_review(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        screen = text_of(pilot.app)
        assert "✓ make test" in screen
        assert "merges cleanly onto main" in screen


async def test_findings_stand_above_the_diff(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        assert "changes what runs in CI" in text_of(pilot.app).splitlines()[2]


async def test_approving_sends_the_review_and_the_tree_that_are_on_the_screen(
    swarm: RecordedSwarm,
) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        await pilot.press("M")
        assert TREE in await seen(pilot, "approve k3f9m")
        await pilot.press("space")
        await seen(pilot, "M lands exactly this tree")
        await pilot.press("M")
        await seen(pilot, "approved and lands")
    body = Approve(
        review=ReviewId("k3f9m.1-r1"), tree=TREE, confirmed=(".github/workflows/ci.yml",), by="ada"
    )
    assert swarm.asked == [("approve", RUN, body)]


async def test_how_it_lands_is_chosen_at_the_approval(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        await pilot.press("M")
        await seen(pilot, "one commit on top")
        await pilot.press("s")
        await seen(pilot, "a merge commit over the change")
        await pilot.press("space", "M")
        await seen(pilot, "approved and lands")
    ((_verb, _run, body),) = swarm.asked
    assert isinstance(body, Approve)
    assert body.style == "merge"


async def test_a_commit_a_turn_lands_as_it_was_listed(swarm: RecordedSwarm) -> None:
    by_turns(swarm)
    async with app_over(swarm).run_test(notifications=True, size=(100, 40)) as pilot:
        await in_review(pilot)
        await pilot.press("M", "s", "s")
        screen = await seen(pilot, "+1 -0 in 1 file: tests/one.py")
        assert "1 fix the flaky test of two merges at once (turn 1 of 3)" in screen
        assert "2 fix the flaky test of two merges at once\n" in screen.replace(" \n", "\n")
        await pilot.press("space", "M")
        await seen(pilot, "approved and lands")
    ((_verb, _run, body),) = swarm.asked
    assert isinstance(body, Approve)
    assert (body.style, body.commits) == ("rebase", ("a" * 40, TREE))


async def test_each_commit_can_be_looked_at_before_it_is_approved(swarm: RecordedSwarm) -> None:
    by_turns(swarm)
    async with app_over(swarm).run_test(notifications=True, size=(100, 40)) as pilot:
        await in_review(pilot)
        await pilot.press("M", "s", "s")
        await seen(pilot, "d commits")
        await pilot.press("d")
        assert "1 of 2" in await seen(pilot, "what turn 1 wrote")
        await pilot.press("space")
        assert "2 of 2" in await seen(pilot, "docs/merge.md")
        await pilot.press("escape")
        await seen(pilot, "approve k3f9m")
    assert swarm.asked == []


async def test_what_cannot_land_turn_by_turn_says_why_and_does_not_land(
    swarm: RecordedSwarm,
) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(100, 40)) as pilot:
        await in_review(pilot)
        await pilot.press("M", "s", "s", "space")
        await seen(pilot, "k3f9m.1 cannot land turn by turn")
        await pilot.press("M", "d", "enter")
        await pilot.press("s")
        await seen(pilot, "one commit on top")
        assert swarm.asked == []
        await pilot.press("M")
        await seen(pilot, "approved and lands")
    ((_verb, _run, body),) = swarm.asked
    assert isinstance(body, Approve)
    assert (body.style, body.commits) == ("squash", ())


def by_turns(swarm: RecordedSwarm) -> None:
    """The change of the story in two commits."""
    known = swarm.recording
    one = FileChange(path="tests/one.py", status="added", insertions=1, deletions=0)
    whole = next(review for review in known.reviews if review.run == RUN)
    known.commits[RUN] = (
        TurnCommit(turn=1, tree="a" * 40, files=(one,)),
        TurnCommit(turn=3, tree=TREE, files=whole.files),
    )
    first = b"diff --git a/tests/one.py b/tests/one.py\nnew file mode 100644\n--- /dev/null\n"
    first += b"+++ b/tests/one.py\n@@ -0,0 +1 @@\n+what turn 1 wrote\n"
    known.turns = {(RUN, 1): first, (RUN, 3): known.diffs[RUN]}


async def test_nothing_lands_before_every_finding_is_acknowledged(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        await pilot.press("M")
        await seen(pilot, "approve k3f9m")
        await pilot.press("M", "enter", "M")
        await seen(pilot, "1 to go")
    assert swarm.asked == []


async def test_findings_are_acknowledged_one_by_one() -> None:
    findings = tuple(
        Finding(severity="confirm", path=f"ci/{number}.yml", rule="ci-config", why="runs in CI")
        for number in range(3)
    )
    swarm = RecordedSwarm(
        Recording(
            rows=[row("k3f9m", "work", RunState.IN_REVIEW, review=ReviewId("k3f9m.1-r1"))],
            reviews=[review(RUN, (), findings=findings)],
        )
    )
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("enter")
        await seen(pilot, "merges cleanly")
        await pilot.press("M")
        for left in (3, 2, 1):
            await seen(pilot, f"{left} to go")
            await pilot.press("space")
        await seen(pilot, "M lands exactly this tree")


@pytest.mark.usefixtures("deaf_ears")
async def test_an_m_typed_twice_does_not_approve(swarm: RecordedSwarm) -> None:
    swarm.recording.reviews = [replace(swarm.recording.reviews[0], findings=())]
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        await pilot.press("M", "M", "M")
        await seen(pilot, "M lands exactly this tree")
    assert swarm.asked == []


async def test_a_newer_review_is_never_approved_in_place_of_the_one_on_the_screen(
    swarm: RecordedSwarm,
) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        newer = replace(
            swarm.recording.reviews[0],
            id=ReviewId("k3f9m.1-r2"),
            round=2,
            result_tree="b" * 40,
            findings=(),
        )
        swarm.recording.reviews.append(newer)
        swap(swarm.recording, "k3f9m", review=newer.id)
        swarm.happens(RUN, own.ReviewOpened(newer.id, newer.result_tree))
        await seen(pilot, "R shows what would land now")
        await pilot.press("M")
        await seen(pilot, "approve k3f9m")
        await pilot.press("space", "M")
        await pilot.pause()
    (asked,) = swarm.asked
    assert isinstance(asked[2], Approve)
    assert (asked[2].review, asked[2].tree) == ("k3f9m.1-r1", TREE)


async def test_refresh_shows_the_newer_review(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        screen = await in_review(pilot)
        newer = replace(
            swarm.recording.reviews[0], id=ReviewId("k3f9m.1-r2"), round=2, result_tree="b" * 40
        )
        swarm.recording.reviews.append(newer)
        swap(swarm.recording, "k3f9m", review=newer.id)
        await pilot.press("R")
        await settled(pilot)
        assert screen.review == newer


async def test_the_refusal_of_a_stale_approval_is_said(swarm: RecordedSwarm) -> None:
    swarm.refusal = NotNow("the change has moved since", hint="Look at it again.")
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        await pilot.press("M")
        await seen(pilot, "approve k3f9m")
        await pilot.press("space", "M")
        assert "Look at it again." in await seen(pilot, "the change has moved since")


async def test_an_approved_change_that_did_not_land_tries_again(swarm: RecordedSwarm) -> None:
    swarm.recording.reviews = [replace(swarm.recording.reviews[0], verdict=Verdict.APPROVE)]
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        await pilot.press("M")
        await seen(pilot, "tries to land again")
    assert swarm.asked == [("merge", RUN, Act(by="ada"))]


def test_conflicts_cannot_be_approved() -> None:
    assert "src/a.py" in refusal(review(RUN, (), conflicts=("src/a.py",)))


def test_a_blocking_finding_cannot_be_approved() -> None:
    blocked = Finding(severity="block", path=".git/hooks/x", rule="git-dir", why="is git's own")
    assert ".git/hooks/x may not land" in refusal(review(RUN, (), findings=(blocked,)))


async def test_a_comment_is_about_the_line_under_the_cursor(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        screen = await in_review(pilot)
        row_of_line = screen.diff_view.diff.find("src/api/merge.py", 124)
        assert row_of_line is not None
        screen.diff_view.go_row(row_of_line)
        await pilot.press("c")
        await seen(pilot, "src/api/merge.py:124")
        await pilot.press(*"why here", "enter")
        await seen(pilot, "why here")
    assert swarm.asked == [
        ("comment", RUN, NewComment(path="src/api/merge.py", line=124, text="why here", by="ada"))
    ]


async def test_a_comment_is_shown_when_the_cursor_is_on_its_line(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        screen = await in_review(pilot)
        row_of_line = screen.diff_view.diff.find("src/api/merge.py", 123)
        assert row_of_line is not None
        screen.diff_view.go_row(row_of_line)
        await seen(pilot, "Name the holder of the lock in the error.")


async def test_changes_go_back_with_a_note(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        await pilot.press("S")
        await seen(pilot, "and 1 comment not sent yet")
        await pilot.press(*"smaller please", "enter")
        await seen(pilot, "works on")
    assert swarm.asked == [("changes", RUN, Changes(note="smaller please", by="ada"))]


async def test_changes_without_a_word_are_not_sent() -> None:
    swarm = RecordedSwarm(
        Recording(
            rows=[row("k3f9m", "work", RunState.IN_REVIEW, review=ReviewId("k3f9m.1-r1"))],
            reviews=[review(RUN, ())],
        )
    )
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("enter")
        await seen(pilot, "merges cleanly")
        await pilot.press("S")
        await seen(pilot, "works on")
        await pilot.press("enter")
        await seen(pilot, "say what should be different")
    assert swarm.asked == []


async def test_hunks_and_files_are_a_key_apart(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        screen = await in_review(pilot)
        places = []
        for key in ("]", "]", "}", "}", "{", "["):
            await pilot.press(key)
            places.append(screen.diff_view.place())
    assert places == [
        (".github/workflows/ci.yml", 17),
        ("docs/merge.md", 1),
        ("src/api/merge.py", 1),
        ("tests/test_merge.py", 1),
        ("src/api/merge.py", 1),
        ("docs/merge.md", 1),
    ]


async def test_a_file_that_needs_a_word_is_flagged_in_the_list(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await in_review(pilot)
        assert " ~!.github/workflows/ci.yml" in text_of(pilot.app).replace("▌", " ")


async def test_files_of_one_directory_stand_below_its_name(swarm: RecordedSwarm) -> None:
    swarm.recording.diffs[RUN] += (
        b"diff --git a/tests/test_undo.py b/tests/test_undo.py\nnew file mode 100644\n"
        b"--- /dev/null\n+++ b/tests/test_undo.py\n@@ -0,0 +1 @@\n+pass\n"
    )
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await pilot.press("j", "enter")
        listed = [line[:35].strip() for line in (await seen(pilot, "file 1/5")).splitlines()]
    at = listed.index("tests/")
    assert [line.split()[:2] for line in listed[at + 1 : at + 3]] == [
        ["~", "test_merge.py"],
        ["+", "test_undo.py"],
    ]


async def test_while_the_change_is_asked_for_nothing_is_said_of_it(swarm: RecordedSwarm) -> None:
    asked, answered = asyncio.Event(), swarm.diff

    async def late(run: str, *, review: bool = False, since: str = "", turn: int = 0) -> bytes:
        await asked.wait()
        return await answered(run, review=review, since=since, turn=turn)

    swarm.diff = late  # type: ignore[method-assign]
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await pilot.press("j", "enter")
        screen = await seen(pilot, "asking for the change")
        assert "is changed yet" not in screen
        asked.set()
        await seen(pilot, "file 1/4")


async def test_looking_again_keeps_the_place(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        screen = await in_review(pilot)
        await pilot.press("}", "}", "]", "]", "j", "j")
        before = screen.diff_view.place()
        await pilot.press("R")
        await settled(pilot)
        assert screen.diff_view.place() == before
    assert before is not None
    assert before[0] == "src/api/merge.py"


async def test_the_head_counts_what_would_land(swarm: RecordedSwarm) -> None:
    (shown,) = swarm.recording.reviews
    swarm.recording.reviews = [replace(shown, files=shown.files[:1])]
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await in_review(pilot)
        assert "+1 -1  $0.88" in text_of(pilot.app).splitlines()[1]


def test_nothing_that_is_said_of_a_change_is_cut_off() -> None:
    long = "src/app/supervisor/steps/a_name_that_is_long.py"
    asked = review(
        RUN,
        (),
        conflicts=(long,),
        findings=(Finding(severity="confirm", path=long, rule="paths/sensitive", why="it runs"),),
    )
    known = row("k3f9m", "a goal", RunState.IN_REVIEW)
    detail = wire.RunDetail(
        row=known, runs=(known.run,), reviews=(asked,), approvals=(), comments=(), findings=(),
        spend=wire.Spend(micros=known.run.spent, held=known.run.spent, calls=0, refused=0, input=0,
                         output=0, cache_read=0, cache_write=0),
        overlaps=(
            wire.Overlap(run=RunId("aaaaa.1"), agent="claude-code", state=RunState.WORKING, paths=(long,)),
        ),
    )  # fmt: skip
    drawn = fact_lines(detail, asked, 35, brief=True)
    lines = ["".join(text for text, _ink in line) for line in drawn]
    assert max(map(len, lines)) <= 35
    told = "".join(line.strip() for line in lines)
    assert told.count(long) == 3
    assert "claude-code, working" in told


async def test_space_ticks_a_file_off_and_goes_on(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        screen = await in_review(pilot)
        await pilot.press("space")
        await seen(pilot, "file 2/4 · 1 viewed")
        assert screen.viewed == {".github/workflows/ci.yml"}


async def test_what_was_ticked_off_is_remembered(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        await pilot.press("space", "escape")
        await seen(pilot, "needs you first")
        await pilot.press("enter")
        await seen(pilot, "1 viewed")


async def test_checks_show_their_output(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        await pilot.press("i")
        assert "214 passed in 38.9s" in await seen(pilot, "about this change")


async def test_the_editor_opens_the_file_in_the_worktree(
    swarm: RecordedSwarm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Under test there is no terminal to hand over; that it is said is as far as this goes.
    monkeypatch.setenv("EDITOR", "true")
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        await pilot.press("e")
        await seen(pilot, "cannot be handed to an editor")


async def test_once_merged_it_can_no_longer_be_approved(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        swap(swarm.recording, "k3f9m", state=RunState.MERGED, review=None)
        swarm.happens(RUN, own.StateChanged(RunState.MERGED))
        await seen(pilot, "✓ merged")
        await pilot.press("M")
        await seen(pilot, "not possible for this run: merged")
    assert swarm.asked == []


async def test_the_old_text_stands_left_of_the_new(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        screen = await in_review(pilot)
        await pilot.press("u")
        await settled(pilot)
        changed = next(
            line for line in text_of(pilot.app).splitlines() if line.count("run: make test") == 2
        )
        old, _, new = changed.rpartition("│")
        assert "19 -" in old
        assert "19 +" in new
        assert screen.desk.side_by_side


async def test_changing_the_columns_keeps_the_line(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        screen = await in_review(pilot)
        await pilot.press("}", "}", "]", "j", "j", "j", "j", "j", "j")
        place = screen.diff_view.place()
        await pilot.press("u")
        assert screen.diff_view.place() == place
        await pilot.press("u")
        assert screen.diff_view.place() == place


SECRET = "github-token:0123456789ab"


def finding(severity: Severity, path: str, fingerprint: str = "") -> Finding:
    return Finding(severity=severity, path=path, rule="r", why="because", fingerprint=fingerprint)


def with_findings(swarm: RecordedSwarm, *findings: Finding) -> None:
    at = next(n for n, each in enumerate(swarm.recording.reviews) if each.run == RUN)
    swarm.recording.reviews[at] = replace(swarm.recording.reviews[at], findings=findings)


async def test_each_of_many_findings_is_seen_before_it_is_ticked(swarm: RecordedSwarm) -> None:
    paths = [f"file-{n:02}" for n in range(14)]
    warned = [finding("warn", f"warned/{n}") for n in range(15)]
    with_findings(swarm, *(finding("confirm", path) for path in paths), *warned)
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        await pilot.press("M")
        for path in paths:
            await seen(pilot, f"▸ {path}")
            await pilot.press("M")
            assert swarm.asked == []
            await pilot.press("space")
        await seen(pilot, "M lands exactly this tree")
        await pilot.press("M")
        await seen(pilot, "approved and lands")
    ((_verb, _run, body),) = swarm.asked
    assert isinstance(body, Approve)
    assert body.confirmed == tuple(paths)


@pytest.mark.parametrize(("typed", "sent"), [(SECRET, [(SECRET,)]), ("github-token", [])])
async def test_a_secret_lands_only_when_its_fingerprint_is_typed(
    swarm: RecordedSwarm, typed: str, sent: list[tuple[str, ...]]
) -> None:
    with_findings(swarm, finding("block", "a.py", SECRET))
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        await pilot.press("M")
        await seen(pilot, "this would publish a secret")
        await pilot.press(*typed, "enter")
        await seen(pilot, "M lands exactly this tree" if sent else "nothing was approved")
        await pilot.press("M")
        await settled(pilot)
    assert [body.secrets for _, _, body in swarm.asked if isinstance(body, Approve)] == sent
