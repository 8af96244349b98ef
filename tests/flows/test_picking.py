"""A change is accepted in part: what lands is exactly the tree that was shown without the rest."""

import asyncio

import pytest

from app import wire
from app.domain.errors import NotFound, NotNow
from app.domain.review import Review
from app.domain.run import RunState
from tests.support.actions import USER, SwarmActions
from tests.support.repos import commit, run_git
from tests.support.scripts import edit, scripted
from tests.support.world import World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINES = [f"line {n}" for n in range(40)]
OLD = "\n".join(LINES) + "\n"
NEW = OLD.replace("line 5\n", "five\n").replace("line 30\n", "thirty\n")
ONE = OLD.replace("line 5\n", "five\n")
AGENTS = {"writer": scripted([edit("long.txt", NEW), edit("extra.txt", "e\n")])}


def pick(shown: Review, *parts: wire.Part, everything: bool = False) -> wire.Pick:
    return wire.Pick(
        review=shown.id, tree=shown.result_tree, leave_out=parts, all=everything, by=USER
    )


async def reviewed(world: World, checks: tuple[str, ...] = ()) -> tuple[SwarmActions, str, Review]:
    user = world.user({"long.txt": OLD})
    run = await user.submit(agent="writer", checks=checks)
    return user, run, await user.review(run)


@story
async def landed(world: World) -> wire.RunDetail:
    """A hunk and a file are left out, the target moves, and what is left is approved."""
    user, run, shown = await reviewed(world, checks=("true",))
    shown = await user.client.pick(run, pick(shown, wire.Part(path="long.txt", line=31)))
    await user.client.pick(run, pick(shown, wire.Part(path="extra.txt")))
    commit(user.repo, {"theirs.txt": "t\n"})
    return await user.approve(run)


async def test_only_what_was_picked_lands(world: World, landed: wire.RunDetail) -> None:
    repo = world.at(landed).repo
    assert landed.row.run.state == RunState.MERGED
    assert (repo / "long.txt").read_text() == ONE
    assert not (repo / "extra.txt").exists()
    assert (repo / "theirs.txt").exists()


async def test_no_check_is_said_to_have_seen_it(landed: wire.RunDetail) -> None:
    assert landed.reviews[-1].checks == ()
    assert landed.row.checks[0].passed


async def test_the_tree_that_was_approved_is_the_tree_on_the_target(
    world: World, landed: wire.RunDetail
) -> None:
    tree = run_git(world.at(landed).repo, "rev-parse", "main^{tree}")
    assert tree == landed.reviews[-1].result_tree


async def test_who_left_out_what_is_written_down(world: World, landed: wire.RunDetail) -> None:
    rows = [row for row in await world.client.audit(landed.row.run.id) if row.what == "picked"]
    assert [row.actor for row in rows] == [USER, USER]
    assert rows[-1].detail["left_out"].endswith("extra.txt:all")


async def test_what_was_left_out_is_not_lost(world: World, landed: wire.RunDetail) -> None:
    user, run = world.at(landed), landed.row.run.id
    await user.settled(run)
    kept = run_git(user.repo, "for-each-ref", "--format=%(refname)", f"refs/swarm/trash/{run}")
    assert run_git(user.repo, "show", f"{kept}:long.txt") + "\n" == NEW


async def test_everything_is_taken_back_in(world: World) -> None:
    user, run, shown = await reviewed(world, checks=("true",))
    less = await user.client.pick(run, pick(shown, wire.Part(path="long.txt")))
    again = await user.client.pick(run, pick(less, everything=True))
    assert less.result_tree != shown.result_tree
    assert (again.result_tree, again.left_out) == (shown.result_tree, ())
    assert [check.passed for check in again.checks] == [True]


async def test_an_approval_of_what_was_shown_before_is_refused(world: World) -> None:
    user, run, shown = await reviewed(world)
    await user.client.pick(run, pick(shown, wire.Part(path="extra.txt")))
    old = wire.Approve(review=shown.id, tree=shown.result_tree, by=USER)
    with pytest.raises(NotNow, match="not what would land"):
        await user.client.approve(run, old)


async def test_of_two_who_pick_from_the_same_tree_one_looks_again(world: World) -> None:
    user, run, shown = await reviewed(world)
    both = (pick(shown, wire.Part(path="extra.txt")), pick(shown, wire.Part(path="long.txt")))
    done = await asyncio.gather(
        *(user.client.pick(run, body) for body in both), return_exceptions=True
    )
    assert sum(isinstance(one, NotNow) for one in done) == 1


async def test_leaving_out_everything_or_nothing_that_is_there_is_refused(world: World) -> None:
    user, run, shown = await reviewed(world)
    whole = (wire.Part(path="extra.txt"), wire.Part(path="long.txt"))
    with pytest.raises(NotNow, match="nothing of"):
        await user.client.pick(run, pick(shown, *whole))
    with pytest.raises(NotFound):
        await user.client.pick(run, pick(shown, wire.Part(path="other.txt")))


async def test_a_part_does_not_land_as_a_merge(world: World) -> None:
    user, run, shown = await reviewed(world)
    less = await user.client.pick(run, pick(shown, wire.Part(path="extra.txt")))
    body = wire.Approve(review=less.id, tree=less.result_tree, style="merge", by=USER)
    with pytest.raises(NotNow, match="are left out"):
        await user.client.approve(run, body)


async def test_on_the_command_line_it_is_said_by_place(world: World) -> None:
    user, run, shown = await reviewed(world)
    done = await asyncio.to_thread(
        lambda: world.home.swarm("pick", run, "--without", "long.txt:31", cwd=user.repo)
    )
    assert "left out" in done.stdout
    assert (await user.review(run)).result_tree != shown.result_tree


async def test_another_live_task_that_changes_the_same_file_is_named(world: World) -> None:
    user, run, _shown = await reviewed(world)
    assert (await user.client.detail(run)).overlaps == ()
    other = await user.submit(agent="writer")
    await user.review(other)
    (overlap,) = (await user.client.detail(run)).overlaps
    assert (overlap.run, overlap.paths) == (other, ("extra.txt", "long.txt"))
    await user.client.discard(other, wire.Act(by=USER))
    assert (await user.client.detail(run)).overlaps == ()
