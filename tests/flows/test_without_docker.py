"""A user without Docker who chose namespaces: the same way from a goal to a merge, and a wall that is told."""

from collections.abc import AsyncIterator

import pytest

from app import wire
from app.domain.run import RunState
from tests.support.boxes import require_bwrap
from tests.support.home import supervised
from tests.support.repos import run_git
from tests.support.scripts import edit, scripted
from tests.support.world import World, story, world_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = {
    "writer": scripted(
        [
            edit("work.txt", "done\n"),
            {"run": "git log --oneline | wc -l > log.txt"},
            {"run": "printf '[core]\\n\\tfsmonitor = touch /workspace/ran\\n' >> .git/config"},
        ]
    )
}


@story
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    require_bwrap()
    root = tmp_path_factory.mktemp("world")
    with world_at(root, agents=AGENTS, settings={"sandbox": {"driver": "bwrap"}}) as home:
        async with supervised(home) as client:
            yield World(home, client)


@story
async def merged(world: World) -> wire.RunDetail:
    user = world.user()
    run = await user.submit(agent="writer", checks=("test -e work.txt",))
    await user.until(run, RunState.IN_REVIEW)
    return await user.approve(run)


async def test_the_work_lands(world: World, merged: wire.RunDetail) -> None:
    assert merged.row.run.state == RunState.MERGED
    assert run_git(world.at(merged).repo, "show", "main:work.txt") == "done"


async def test_its_checks_ran_behind_the_same_wall(merged: wire.RunDetail) -> None:
    assert [check.passed for check in merged.reviews[-1].checks] == [True]


async def test_git_works_in_the_box_and_its_configuration_runs_nowhere(
    world: World, merged: wire.RunDetail
) -> None:
    repo = world.at(merged).repo
    assert run_git(repo, "show", "main:log.txt") == "1"
    assert run_git(repo, "ls-tree", "--name-only", "main", "ran") == ""


async def test_the_supervisor_says_which_wall_there_is(world: World) -> None:
    assert (await world.client.hello()).isolation == "namespaces"


async def test_doctor_says_what_the_wall_lacks(world: World) -> None:
    lines = {line.name: line for line in await world.client.doctor()}
    assert "no container" in lines["sandbox"].found
    assert (lines["limits"].ok, lines["limits"].needed) == (False, False)
