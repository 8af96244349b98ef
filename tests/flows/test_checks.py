"""Checks run on the snapshot in a fresh sandbox; what they find goes back to the agent, at last to a person."""

import pytest

from app import wire
from app.domain.events import Checked
from app.domain.run import RunState
from tests.support.repos import run_git
from tests.support.scripts import edit, scripted
from tests.support.world import World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHECK = "grep -n right work.txt || { echo it is not right; exit 7; }"
AGENTS = {
    "mender": scripted(
        [edit("work.txt", "wrong\n")],
        [edit("work.txt", "right\n"), edit("told.txt", "{{prompt}}\n")],
    ),
    "stubborn": scripted([edit("work.txt", "wrong in turn {{turn}}\n")]),
    "liar": scripted([edit("work.txt", "wrong\n"), {"run": "touch ../state/proof; exit 0"}]),
}


@story
async def mended(world: World) -> wire.RunDetail:
    """Wrong in the first turn, right in the second."""
    user = world.user()
    run = await user.submit(agent="mender", checks=(CHECK,))
    return await user.until(run, RunState.IN_REVIEW)


@story
async def stubborn(world: World) -> wire.RunDetail:
    """Wrong in every turn it may have."""
    user = world.user(max_turns=2)
    run = await user.submit(agent="stubborn", checks=(CHECK, "true"))
    return await user.until(run, RunState.IN_REVIEW)


async def test_a_failed_check_goes_back_to_the_agent_with_its_output(
    world: World, mended: wire.RunDetail
) -> None:
    told = await world.at(mended).file(mended.row.run.id, "told.txt")
    assert f"`{CHECK}` failed" in told
    assert told.endswith("ended with 7:\nit is not right")


async def test_the_review_shows_the_checks_of_the_newest_turn(mended: wire.RunDetail) -> None:
    assert [(check.code, check.passed) for check in mended.reviews[-1].checks] == [(0, True)]
    assert mended.reviews[-1].checks[0].tail == "1:right"
    assert mended.row.run.reason == "the agent is done and every check passed"


async def test_every_result_stands_in_the_log(world: World, mended: wire.RunDetail) -> None:
    events = await world.at(mended).events(mended.row.run.id)
    checks = [event.body for event in events if isinstance(event.body, Checked)]
    assert [(each.turn, each.result.passed) for each in checks] == [(1, False), (2, True)]


async def test_after_its_last_turn_a_person_sees_what_still_fails(
    stubborn: wire.RunDetail,
) -> None:
    checks = [(check.command, check.passed) for check in stubborn.reviews[-1].checks]
    assert checks == [(CHECK, False), ("true", True)]
    assert stubborn.row.run.reason == f"`{CHECK}` still failed after 2 turns"


async def test_a_person_may_take_a_failed_check_upon_themselves(
    world: World, stubborn: wire.RunDetail
) -> None:
    user = world.at(stubborn)
    await user.approve(stubborn.row.run.id)
    assert run_git(user.repo, "show", "main:work.txt") == "wrong in turn 2"


async def test_no_sandbox_of_a_check_is_left(world: World, mended: wire.RunDetail) -> None:
    rooms = {room.name for room in (world.home.state / "sandboxes").iterdir()}
    assert mended.row.run.id in rooms
    assert not [name for name in rooms if ".check-" in name]


async def test_a_check_sees_the_snapshot_and_nothing_else_the_agent_left(world: World) -> None:
    user = world.user(max_turns=1)
    check = "test ! -e ../state/proof && test -e work.txt && git status --porcelain"
    shown = await user.until(await user.submit(agent="liar", checks=(check,)), RunState.IN_REVIEW)
    assert [(each.passed, each.tail) for each in shown.reviews[-1].checks] == [(True, "")]


async def test_a_check_that_does_not_exist_fails_with_words(world: World) -> None:
    user = world.user(max_turns=1)
    run = await user.submit(agent="stubborn", checks=("no-such-program --now",))
    shown = await user.until(run, RunState.IN_REVIEW)
    assert shown.reviews[-1].checks[0].code == 127
    assert "no-such-program" in shown.reviews[-1].checks[0].tail
