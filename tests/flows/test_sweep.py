"""Tidying up: only what is ours and saved goes, and of each thing it is said why."""

from pathlib import Path

import pytest

from app import wire
from app.domain.events import Note
from app.domain.run import RunState
from tests.support.actions import SwarmActions
from tests.support.repos import put, run_git
from tests.support.scripts import edit, scripted
from tests.support.world import World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = {
    "writer": scripted([edit("work.txt", "agent\n")]),
    "hoarder": scripted([edit("work.txt", "agent\n"), {"run": "truncate -s 21M model.bin"}]),
}


def sandbox(world: World, run: str) -> Path:
    return world.home.state / "sandboxes" / run


async def thrown(world: World, agent: str) -> tuple[SwarmActions, str]:
    """A discarded run."""
    user = world.user()
    run = await user.submit(agent=agent)
    await user.review(run)
    return user, run


def line(lines: tuple[wire.SweepLine, ...], name: str) -> wire.SweepLine:
    return next(each for each in lines if each.name.endswith(name))


@story
async def hoarded(world: World) -> tuple[SwarmActions, str]:
    """In the trash, with a file in its sandbox that no snapshot can hold."""
    user, run = await thrown(world, "hoarder")
    await user.discard(run)
    await user.settled(run)
    return user, run


async def test_a_sandbox_that_holds_what_no_snapshot_can_hold_is_kept(
    world: World, hoarded: tuple[SwarmActions, str]
) -> None:
    user, run = hoarded
    assert (sandbox(world, run) / "tree/model.bin").exists()
    said = [event.body for event in await user.events(run)]
    words = [body.text for body in said if isinstance(body, Note)]
    assert any("its sandbox is kept: no snapshot can hold model.bin" in text for text in words)


async def test_such_a_run_is_restored_with_all_it_had(
    world: World, hoarded: tuple[SwarmActions, str]
) -> None:
    user, run = hoarded
    await user.restore(run)
    await user.changes(run, "once more")
    await user.until(run, RunState.IN_REVIEW)
    assert (sandbox(world, run) / "tree/model.bin").exists()
    await user.discard(run)
    await user.settled(run)


async def test_it_goes_when_a_person_names_it(
    world: World, hoarded: tuple[SwarmActions, str]
) -> None:
    _user, run = hoarded
    assert not line(await world.client.sweep(wire.Sweep()), run).why.startswith("you said")
    assert sandbox(world, run).exists()
    lines = await world.client.sweep(wire.Sweep(unsaved=run))
    assert (line(lines, run).remove, line(lines, run).why) == (True, "you said so")
    assert not sandbox(world, run).exists()


async def test_what_an_agent_did_after_its_last_snapshot_is_saved_before_it_goes(
    world: World,
) -> None:
    user, run = await thrown(world, "writer")
    put(sandbox(world, run) / "tree", {"late.txt": "late\n"})
    await user.discard(run)
    await user.settled(run)
    assert run_git(user.repo, "show", f"refs/swarm/trash/{run}:late.txt") == "late"


async def test_what_is_not_known_stays_and_is_named(world: World) -> None:
    _user, run = await thrown(world, "writer")
    stray = sandbox(world, "zzzzz.1")
    put(stray, {"tree/x": "x\n", "owner": (world.home.state / "installation").read_text()})
    foreign = world.home.state / "worktrees" / "project" / "mine"
    put(foreign, {"thesis.txt": "mine\n"})
    lines = await world.client.sweep(wire.Sweep())
    assert not line(lines, "zzzzz.1").remove
    assert "nothing says that what is in it is saved" in line(lines, "zzzzz.1").why
    assert line(lines, "/mine").why.startswith("swarm did not make it")
    assert line(lines, run).why == "its run is in_review"
    assert (stray / "tree/x").exists()
    assert (foreign / "thesis.txt").exists()


async def test_a_dry_run_only_says_it(world: World) -> None:
    user, run = await thrown(world, "writer")
    await user.discard(run)
    await user.settled(run)
    left = sandbox(world, run)
    put(left, {"tree/x": "x\n", "owner": (world.home.state / "installation").read_text()})
    told = line(await world.client.sweep(wire.Sweep(dry_run=True)), run)
    assert told.remove
    assert "it is discarded, and its snapshot" in told.why
    assert left.exists()
    await world.client.sweep(wire.Sweep())
    assert not left.exists()


async def test_the_disk_a_run_takes_is_counted(world: World) -> None:
    user, run = await thrown(world, "writer")
    found = {str(each.run): each for each in await world.client.disk(str(user.repo))}
    assert (found[run].worktree or 0) > 0
    assert (found[run].sandbox or 0) > 0
