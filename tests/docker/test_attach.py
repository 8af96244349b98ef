"""A person takes a run over at a real terminal, works in its sandbox, and hands it back."""

import asyncio
import re
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from app import wire
from app.domain.errors import NotNow, UsageError
from app.domain.events import TurnStarted
from app.domain.run import RunState
from tests.support.actions import SwarmActions
from tests.support.attacks import attack
from tests.support.home import supervised
from tests.support.images import require_docker, test_image
from tests.support.patience import PATIENCE
from tests.support.screens import RawPty
from tests.support.scripts import edit, scripted, wait_for
from tests.support.world import World, story, world_at

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]

AGENTS = {
    "writer": scripted([edit("first.txt", "{{turn}}\n")], [edit("then.txt", "{{prompt}}\n")]),
    "busy": scripted([edit("begun.txt", "x\n"), wait_for("/no/such/file")]),
}
HOSTILE = r"printf '\033]0;owned\007\033]52;c;b3duZWQ=\007\033[21t%s\n' dra''wn"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    require_docker()
    settings = {"sandbox": {"driver": "docker", "image": test_image()}, "agent": "writer"}
    with world_at(tmp_path_factory.mktemp("hands"), agents=AGENTS, settings=settings) as home:
        async with supervised(home) as client:
            yield World(home, client)


def seated(world: World, *words: str, cwd: Path | None = None) -> RawPty:
    """`swarm …`, typed at a terminal."""
    argv = [
        "sh",
        "-c",
        'cd "$0" && exec "$@"',
        str(cwd or "."),
        sys.executable,
        "-m",
        "app",
        *words,
    ]
    return RawPty(argv, size=(100, 30), env=dict(world.home.env))


async def at(pty: RawPty, do: Callable[[RawPty], None]) -> None:
    """In a thread of its own: the supervisor lives in this one."""
    with pty:
        await asyncio.to_thread(do, pty)


def by_hand(pty: RawPty) -> None:
    pty.wait_for(b"drawn by a program in the sandbox")
    pty.wait_for(b"$ ")
    pty.send(HOSTILE.encode() + b"\r")
    pty.wait_for(b"drawn")
    pty.send(b"pwd; stty size; echo by hand > mine.txt; exit\r")
    pty.wait_for(b"It has ended")


@story
async def worked(world: World) -> tuple[wire.RunDetail, bytes]:
    """A person opens a shell in the sandbox of a run in review, writes a file and leaves the shell."""
    user = world.user()
    run = await user.submit()
    await user.until(run, RunState.IN_REVIEW)
    pty = seated(world, "attach", run, "--shell")
    await at(pty, by_hand)
    async with asyncio.timeout(PATIENCE):
        while len((await user.client.detail(run)).reviews) < 2:
            await asyncio.sleep(0.1)
    return await user.until(run, RunState.IN_REVIEW), pty.output


@story
async def returned(world: World) -> wire.RunDetail:
    """A person stops a working agent, keeps the screen open, comes back, and has the agent go on with words."""
    user = world.user()
    run = await user.submit(agent="busy")
    await user.wrote(run, "begun.txt")

    def keep(pty: RawPty) -> None:
        pty.wait_for(b"$ ")
        pty.send(b"echo kept-$((40+2))\r")
        pty.wait_for(b"kept-42")
        pty.send(b"\x1d")
        pty.wait_for(b"r, g or k: ")
        pty.send(b"k\r")
        pty.wait_until_quiet()

    def go_on(pty: RawPty) -> None:
        pty.wait_for(b"kept-42")
        pty.send(b"\x1d")
        pty.wait_for(b"r, g or k: ")
        pty.send(b"g\r")
        pty.wait_for(b"to the agent: ")
        pty.send(b"mind the gap\r")
        pty.wait_for(b"is handed back")

    await at(seated(world, "attach", run, "--shell", "--stop"), keep)
    await at(seated(world, "attach", run, "--shell"), go_on)
    async with asyncio.timeout(PATIENCE):
        while len(await prompts(user, run)) < 2:
            await asyncio.sleep(0.1)
    await user.stop(run)
    return await user.until(run, RunState.CANCELLED)


async def prompts(user: SwarmActions, run: str) -> list[str]:
    return [e.body.prompt for e in await user.events(run) if isinstance(e.body, TurnStarted)]


async def test_what_a_person_does_in_the_sandbox_comes_to_review_beside_the_agents_work(
    world: World, worked: tuple[wire.RunDetail, bytes]
) -> None:
    detail, _ = worked
    assert {file.path for file in detail.reviews[-1].files} == {"first.txt", "mine.txt"}


async def test_the_person_works_in_the_agents_tree_on_a_terminal_of_the_right_size(
    worked: tuple[wire.RunDetail, bytes],
) -> None:
    _, output = worked
    told = re.search(rb"/workspace\r\n([0-9]+ [0-9]+)\r\n", output)
    assert told is not None
    assert told[1] == b"30 100"


@attack("U01")
async def test_a_program_there_sets_no_title_and_writes_no_clipboard(
    worked: tuple[wire.RunDetail, bytes],
) -> None:
    _, output = worked
    assert b"\x1b]" not in output
    assert b"\x1b[21t" not in output


async def test_that_a_run_was_taken_over_is_written_down(
    world: World, worked: tuple[wire.RunDetail, bytes]
) -> None:
    rows = await world.client.audit(worked[0].row.run.id)
    assert [row.detail["by_way_of"] for row in rows if row.what == "taken over"] == ["shell"]


async def test_an_agent_that_goes_on_after_a_person_is_told_so(
    world: World, returned: wire.RunDetail
) -> None:
    *_, last = await prompts(world.at(returned), returned.row.run.id)
    assert last.startswith("A person has worked here")
    assert last.endswith("mind the gap")


async def test_nothing_of_it_runs_on_when_the_run_is_at_rest(
    world: World, returned: wire.RunDetail
) -> None:
    with pytest.raises(NotNow, match="no open screen"):
        await world.client.press(returned.row.run.id, b"x")


async def test_an_agent_without_a_screen_is_refused_and_the_shell_named(
    world: World, worked: tuple[wire.RunDetail, bytes]
) -> None:
    run = worked[0].row.run.id
    with pytest.raises(UsageError, match="no screen of its own") as refused:
        await world.client.attach(run, wire.Attach(by="ada"))
    assert f"swarm attach {run} --shell" in refused.value.hint


async def test_a_run_at_work_is_not_taken_over_before_its_turn_is_stopped(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="busy")
    await user.until(run, RunState.WORKING)
    with pytest.raises(NotNow, match="is working") as refused:
        await user.client.attach(run, wire.Attach(what="shell", by="ada"))
    await user.stop(run)
    assert f"swarm stop {run}" in refused.value.hint


async def test_a_shell_in_the_worktree_is_the_users_own(
    world: World, worked: tuple[wire.RunDetail, bytes], tmp_path: Path
) -> None:
    own = tmp_path / "own-shell"
    own.write_text(f"#!{shutil.which('sh')}\npwd; cat first.txt\n")
    own.chmod(0o755)
    run = worked[0].row.run
    done = await asyncio.to_thread(
        lambda: world.home.swarm("shell", run.id, cwd=tmp_path, SHELL=str(own))
    )
    assert done.stdout.splitlines() == [run.worktree, "1"]


async def test_from_the_screen_a_run_is_taken_over_with_one_key_and_the_screen_comes_back(
    world: World, worked: tuple[wire.RunDetail, bytes]
) -> None:
    repo = Path(worked[0].row.task.repo)

    def take_over(pty: RawPty) -> None:
        pty.wait_for(b"needs you first")
        pty.send(b"\x14")
        pty.wait_for(b"drawn by a program in the sandbox")
        pty.wait_for(b"$ ")
        pty.send(b"exit\r")
        pty.wait_for(b"It has ended")
        since = len(pty.output)
        pty.wait_for(b"needs you first", since=since)

    await at(seated(world, cwd=repo), take_over)
