"""What a tree needs besides its commit: files git does not keep, setup as a gate, caches, ports, teardown."""

import os
from pathlib import Path

import pytest

from app.domain.events import Note, SetUp
from app.domain.run import RunState
from tests.support.actions import SwarmActions
from tests.support.repos import FILES, put
from tests.support.scripts import edit, scripted
from tests.support.world import World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOW = "cat local.json built.txt > seen.txt; env | grep -c PORT_ >> seen.txt"
CACHES = 'cat "$SWARM_CACHE_OURS/one.whl" > caches.txt; env | grep -c SWARM_CACHE_ >> caches.txt'
AGENTS = {
    "reader": scripted([{"run": CACHES}]),
    "looker": scripted([{"run": SHOW}], [edit("more.txt", "again\n")]),
    "quick": scripted([edit("agent.txt", "1\n")]),
}
SETTINGS = {
    "copies": ["secrets/named.key", "more/*.key"],
    "caches": {
        "wheels": "~/wheels",
        "ours": {"path": "~/wheels", "repositories": ["*/project*"]},
        "theirs": {"path": "~/wheels", "repositories": ["/elsewhere/project", "~/src/*"]},
    },
}
IGNORED = {".gitignore": "local.json\nbuilt.txt\n*.key\n.env\n"}


@pytest.fixture(scope="module", autouse=True)
def wheels(world: World) -> Path:
    """The cache of the user's."""
    place = Path(os.environ["HOME"]) / "wheels"
    put(place, {"one.whl": "wheel\n"})
    return place


def outfitted(world: World, *setup: str, **more: str) -> SwarmActions:
    """A user whose repository is made ready by those commands."""
    files = {**FILES, **IGNORED, ".worktreeinclude": "local.json\n.env\nloose.txt\n"}
    quoted = [f'"{each}"' for each in setup]
    user = world.user(files, setup=f"[{', '.join(quoted)}]", **more)
    own = {"local.json": "{}\n", ".env": "KEY=1\n", "loose.txt": "1\n"}
    put(user.repo, {**own, "secrets/named.key": "named\n", "more/other.key": "other\n"})
    return user


def tree(world: World, run: str) -> Path:
    return world.home.state / "sandboxes" / run / "tree"


async def said(user: SwarmActions, run: str) -> str:
    found = [event.body for event in await user.events(run)]
    return "\n".join(body.text for body in found if isinstance(body, Note))


@story
async def ready(world: World) -> tuple[SwarmActions, str]:
    """A run that was set up, and looked at what it got."""
    user = outfitted(world, "echo built > built.txt", "test -n $PORT_BASE")
    run = await user.submit(agent="looker", checks=("cat built.txt local.json",))
    await user.review(run)
    return user, run


async def test_an_agent_finds_what_was_copied_and_set_up(ready: tuple[SwarmActions, str]) -> None:
    user, run = ready
    assert await user.file(run, "seen.txt") == "{}\nbuilt\n2"


async def test_setup_is_told_in_the_log(ready: tuple[SwarmActions, str]) -> None:
    user, run = ready
    found = [e.body.result for e in await user.events(run) if isinstance(e.body, SetUp)]
    assert [result.command for result in found][:2] == [
        "echo built > built.txt",
        "test -n $PORT_BASE",
    ]
    assert all(result.passed for result in found)


async def test_checks_get_the_same(ready: tuple[SwarmActions, str]) -> None:
    user, run = ready
    shown = await user.review(run)
    assert [(check.passed, check.tail) for check in shown.checks] == [(True, "built\n{}")]


async def test_nothing_that_was_copied_is_part_of_the_change(
    ready: tuple[SwarmActions, str],
) -> None:
    user, run = ready
    assert [file.path for file in (await user.review(run)).files] == ["seen.txt"]


async def test_private_files_come_along_only_by_their_exact_name(
    world: World, ready: tuple[SwarmActions, str]
) -> None:
    user, run = ready
    place = tree(world, run)
    assert (place / "secrets/named.key").read_text() == "named\n"
    assert not (place / ".env").exists()
    assert not (place / "more/other.key").exists()
    assert "not copied: .env, more/other.key: they look private" in await said(user, run)


async def test_a_file_git_does_not_ignore_is_not_copied(
    world: World, ready: tuple[SwarmActions, str]
) -> None:
    user, run = ready
    assert not (tree(world, run) / "loose.txt").exists()
    assert "not copied: loose.txt: they are not ignored by git" in await said(user, run)


async def test_the_users_worktree_gets_the_copies_too(ready: tuple[SwarmActions, str]) -> None:
    user, run = ready
    worktree = Path((await user.client.detail(run)).row.run.worktree)
    assert (worktree / "local.json").read_text() == "{}\n"


async def test_ports_are_given_back_when_a_run_rests(ready: tuple[SwarmActions, str]) -> None:
    user, run = ready
    assert (await user.client.detail(run)).row.run.port == 0


async def test_setup_is_not_said_twice_in_a_tree(
    world: World, ready: tuple[SwarmActions, str]
) -> None:
    user, run = ready
    (tree(world, run) / "built.txt").unlink()
    await user.changes(run, "once more")
    await user.until(run, RunState.IN_REVIEW)
    assert not (tree(world, run) / "built.txt").exists()


async def test_a_setup_that_fails_fails_the_run_with_its_log_and_resume_tries_again(
    world: World,
) -> None:
    go = world.home.root / "go"
    user = outfitted(world, "echo looking for go", f"ls {go}")
    run = await user.submit(agent="quick")
    failed = await user.until(run, RunState.FAILED)
    assert f"the setup command `ls {go}` failed (exit 2)" in failed.row.run.reason
    assert "No such file" in failed.row.run.reason
    go.touch()
    await user.resume(run)
    await user.review(run)
    assert await user.file(run, "agent.txt") == "1"


async def test_teardown_runs_before_the_sandbox_goes(world: World) -> None:
    mark = world.home.root / "torn-down"
    user = outfitted(world, teardown=f'["cat agent.txt > {mark}"]')
    run = await user.submit(agent="quick")
    await user.approve(run)
    await user.settled(run)
    assert mark.read_text() == "1\n"
    assert not tree(world, run).exists()


async def test_a_cache_is_shown_to_its_repositories_only(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="reader", checks=('test -z "$SWARM_CACHE_THEIRS"',))
    shown = await user.review(run)
    assert await user.file(run, "caches.txt") == "wheel\n2"
    assert [check.passed for check in shown.checks] == [True]
