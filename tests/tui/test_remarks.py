"""Comments on ranges, and hunks and files that the agent is asked to take back."""

from app import wire
from tests.support.fleet import RecordedSwarm
from tests.support.fleet import app_over as app_of
from tests.support.screens import in_review, seen, settled


def said(swarm: RecordedSwarm) -> wire.NewComment:
    ((verb, _run, body),) = swarm.asked
    assert verb == "comment"
    assert isinstance(body, wire.NewComment)
    return body


async def test_a_comment_is_on_all_lines_from_where_v_was_pressed(swarm: RecordedSwarm) -> None:
    async with app_of(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await in_review(pilot)
        await pilot.press("]", "]", "j", "j", "V")
        await seen(pilot, "from docs/merge.md:2 to the cursor")
        await pilot.press("j", "j", "c")
        await seen(pilot, "docs/merge.md:2-4")
        await pilot.press(*"why", "enter")
        await seen(pilot, "why")
    assert (said(swarm).line, said(swarm).last, said(swarm).text) == (2, 4, "why")


async def test_a_comment_may_have_several_lines(swarm: RecordedSwarm) -> None:
    async with app_of(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await in_review(pilot)
        await pilot.press("]", "j", "c")
        await seen(pilot, "^j new line")
        await pilot.press(*"one", "ctrl+j", *"two", "enter")
        await seen(pilot, "1 comment", gone=True)
    assert said(swarm).text == "one\ntwo"


async def test_the_same_key_takes_the_beginning_back(swarm: RecordedSwarm) -> None:
    async with app_of(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        screen = await in_review(pilot)
        await pilot.press("j", "j", "V", "V")
        await settled(pilot)
        assert screen.began is None


async def test_a_range_does_not_go_from_one_file_into_another(swarm: RecordedSwarm) -> None:
    async with app_of(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await in_review(pilot)
        await pilot.press("j", "j", "V", "}", "j", "j", "c")
        await seen(pilot, "a comment is on lines of one file")
    assert swarm.asked == []


async def test_a_hunk_is_rejected_as_a_comment_on_its_changed_lines(swarm: RecordedSwarm) -> None:
    async with app_of(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await in_review(pilot)
        await pilot.press("]", "]", "-")
        await seen(pilot, "take back, by the agent")
        await pilot.press("enter")
        await seen(pilot, "Take this change back.")
    body = said(swarm)
    assert (body.path, body.line, body.last) == ("docs/merge.md", 1, 6)


async def test_a_file_is_rejected_as_a_comment_on_it(swarm: RecordedSwarm) -> None:
    async with app_of(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await in_review(pilot)
        await pilot.press("}", "_")
        await seen(pilot, "take back, by the agent")
        await pilot.press("enter")
        await seen(pilot, "Take the changes to this file back.")
    assert (said(swarm).path, said(swarm).line) == ("docs/merge.md", 1)


async def test_nothing_is_rejected_by_a_second_thought(swarm: RecordedSwarm) -> None:
    async with app_of(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await in_review(pilot)
        await pilot.press("]", "-")
        await seen(pilot, "take back, by the agent")
        await pilot.press("escape")
        await seen(pilot, "take back, by the agent", gone=True)
    assert swarm.asked == []


def picked(swarm: RecordedSwarm) -> list[wire.Pick]:
    return [body for _verb, _run, body in swarm.asked if isinstance(body, wire.Pick)]


async def test_a_hunk_is_left_out_of_exactly_what_is_shown(swarm: RecordedSwarm) -> None:
    async with app_of(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        screen = await in_review(pilot)
        assert screen.review is not None
        tree = screen.review.result_tree
        await pilot.press("}", "}", "]", "o")
        await seen(pilot, "no check has seen it without that")
        await pilot.press("ctrl+a")
        await seen(pilot, "all is in again")
    sent = picked(swarm)
    assert [(body.tree, body.all) for body in sent] == [(tree, False), (tree, True)]
    assert sent[0].leave_out[0].path == "src/api/merge.py"
    assert sent[0].leave_out[0].line > 0


async def test_a_file_is_left_out_whole(swarm: RecordedSwarm) -> None:
    async with app_of(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await in_review(pilot)
        await pilot.press("}", "O")
        await seen(pilot, "left out: docs/merge.md")
    (body,) = picked(swarm)
    assert body.leave_out == (wire.Part(path="docs/merge.md"),)
