"""Discarding and bringing back: nothing is lost, and nothing half-made is left."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from app import wire
from app.domain.errors import NotNow
from app.domain.events import Note
from app.domain.run import RunState
from tests.support.actions import USER, SwarmActions
from tests.support.repos import put, run_git
from tests.support.scripts import edit, scripted
from tests.support.world import World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = {
    "writer": scripted([edit("work.txt", "round {{turn}}\n")]),
    "failing": scripted(
        [edit("work.txt", "half\n"), {"fail": "no more ideas"}], [edit("b", "b\n")]
    ),
}


def refs(repo: Path) -> list[str]:
    return run_git(repo, "for-each-ref", "--format=%(refname)").splitlines()


def key_is_valid(world: World, run: str) -> bool:
    """Whether the run's key still opens the gateway, as the database has it."""
    with sqlite3.connect(world.home.state / "state.db") as database:
        row = database.execute("select revoked from run_key where run = ?", (run,)).fetchone()
    database.close()
    return row is not None and row[0] is None


async def discarded(user: SwarmActions, run: str) -> wire.RunDetail:
    await user.discard(run)
    await user.settled(run)
    return await user.client.detail(run)


@story
async def thrown(world: World) -> wire.RunDetail:
    """A reviewed run in the trash."""
    user = world.user()
    run = await user.submit(agent="writer")
    await user.review(run)
    return await discarded(user, run)


async def test_a_discarded_run_is_off_the_board_and_in_the_trash(
    world: World, thrown: wire.RunDetail
) -> None:
    run = thrown.row.run.id
    assert thrown.row.run.state == RunState.DISCARDED
    assert run not in [row.run.id for row in (await world.client.board()).rows]
    assert run in [row.run.id for row in await world.client.trash()]


async def test_of_a_discarded_run_only_the_trash_is_left(
    world: World, thrown: wire.RunDetail
) -> None:
    run, repo = thrown.row.run, world.at(thrown).repo
    assert refs(repo) == [
        "refs/heads/main",
        f"refs/swarm/published/{run.id}",
        f"refs/swarm/trash/{run.id}",
    ]
    assert not Path(run.worktree).exists()
    assert run_git(repo, "worktree", "list").count("\n") == 0
    assert not (world.home.state / "sandboxes" / run.id).exists()


async def test_the_key_of_a_discarded_run_is_worthless(
    world: World, thrown: wire.RunDetail
) -> None:
    assert not key_is_valid(world, thrown.row.run.id)


async def test_discarding_twice_changes_nothing(world: World, thrown: wire.RunDetail) -> None:
    with pytest.raises(NotNow, match="in the trash already"):
        await world.at(thrown).discard(thrown.row.run.id)


@story
async def restored(world: World, thrown: wire.RunDetail) -> wire.RunDetail:
    """The same run, brought back."""
    await world.at(thrown).restore(thrown.row.run.id)
    return await world.client.detail(thrown.row.run.id)


async def test_a_restored_run_is_as_it_was(world: World, restored: wire.RunDetail) -> None:
    run = restored.row.run
    assert run.state == RunState.IN_REVIEW
    assert Path(run.worktree, "work.txt").read_text() == "round 1\n"
    assert run_git(Path(run.worktree), "status", "--porcelain") == ""
    assert await world.at(restored).file(run.id, "work.txt") == "round 1"


async def test_restoring_what_is_not_in_the_trash_is_refused(
    world: World, restored: wire.RunDetail
) -> None:
    with pytest.raises(NotNow, match="not in the trash"):
        await world.at(restored).restore(restored.row.run.id)


async def test_the_agent_can_go_on_after_a_restore(world: World, restored: wire.RunDetail) -> None:
    user, run = world.at(restored), restored.row.run.id
    await user.changes(run, "once more")
    await user.until(run, RunState.IN_REVIEW)
    assert await user.file(run, "work.txt") == "round 2"
    await user.approve(run)
    assert (user.repo / "work.txt").read_text() == "round 2\n"


async def test_what_is_brought_back_while_it_is_put_away_is_whole(world: World) -> None:
    started, go = world.home.root / "putting-away", world.home.root / "go"
    slowly = f"touch {started}; until [ -e {go} ]; do sleep 0.05; done"
    user = world.user(teardown=f'["{slowly}"]')
    run = await user.submit(agent="writer")
    await user.review(run)
    worktree = Path((await world.client.detail(run)).row.run.worktree)
    put(worktree, {"mine.txt": "mine\n"})
    await user.discard(run)
    while not started.exists():
        await asyncio.sleep(0.02)
    coming_back = asyncio.create_task(user.restore(run))
    # Long enough for a restore that does not wait to be through.
    await asyncio.wait({coming_back}, timeout=1)
    go.touch()
    await coming_back
    while Note("cleaned up") not in [event.body for event in await user.events(run)]:
        await asyncio.sleep(0.05)
    assert (worktree / "mine.txt").read_text() == "mine\n"
    assert (worktree / "work.txt").read_text() == "round 1\n"


@story
async def failed(world: World) -> wire.RunDetail:
    """A failed run that was discarded, restored and resumed."""
    user = world.user()
    run = await user.submit(agent="failing")
    await user.until(run, RunState.FAILED)
    await discarded(user, run)
    row = await user.restore(run)
    assert (row.run.state, row.run.reason) == (RunState.FAILED, f"restored by {USER}")
    await user.resume(run)
    return await user.until(run, RunState.IN_REVIEW)


async def test_a_failed_run_can_be_restored_and_resumed_with_all_it_had(
    world: World, failed: wire.RunDetail
) -> None:
    assert await world.at(failed).file(failed.row.run.id, "work.txt") == "half"
    assert await world.at(failed).file(failed.row.run.id, "b") == "b"


async def test_after_a_landing_nothing_of_a_restored_run_is_left(
    world: World, failed: wire.RunDetail
) -> None:
    user = world.at(failed)
    await user.approve(failed.row.run.id)
    await user.settled(failed.row.run.id)
    assert refs(user.repo) == ["refs/heads/main"]
    assert not key_is_valid(world, failed.row.run.id)
    with pytest.raises(NotNow):
        await user.discard(failed.row.run.id)
