"""What cannot work is refused at the command line, in words, with its exit code, and leaves nothing behind."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from app import wire
from app.domain.run import RunState
from tests.support.repos import commit, make_repository, put, run_git
from tests.support.scripts import edit, scripted, wait_for
from tests.support.world import World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

USAGE, ENVIRONMENT = 2, 5
SETTINGS = {"concurrency": 1, "sandbox": {"driver": "local"}}
AGENTS = {
    "waiter": scripted([wait_for("../../go"), edit("a.txt", "a\n")]),
    "writer": scripted([edit("b.txt", "b\n")]),
}


async def types(world: World, where: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """The real command, beside the supervisor that runs in this process."""
    return await asyncio.to_thread(world.home.swarm, *args, cwd=where)


async def refused(world: World, where: Path, *args: str) -> tuple[int, str]:
    """Exit code and words of a `swarm run` that made nothing."""
    before = (await world.client.board()).rows
    done = await types(world, where, "run", "Do it", *args)
    assert (await world.client.board()).rows == before
    assert done.stdout == ""
    return done.returncode, done.stderr


@story
async def repo(world: World) -> Path:
    """A repository that no refused task may have touched."""
    return world.user().repo


async def test_a_directory_without_a_repository(world: World) -> None:
    where = world.home.root / "nowhere"
    where.mkdir()
    code, words = await refused(world, where)
    assert code == USAGE
    assert f"{where} is not inside a git repository" in words
    assert "git init" in words


async def test_a_repository_without_a_commit(world: World) -> None:
    where = world.home.root / "empty"
    where.mkdir()
    run_git(where, "init", "--quiet")
    code, words = await refused(world, where)
    assert code == USAGE
    assert "has no commits yet" in words


async def test_a_detached_head(world: World) -> None:
    user = world.user()
    run_git(user.repo, "switch", "--quiet", "--detach")
    code, words = await refused(world, user.repo)
    assert code == USAGE
    assert "is on no branch" in words
    assert "--base BRANCH" in words


async def test_a_base_that_is_not_there_names_the_nearest(world: World, repo: Path) -> None:
    code, words = await refused(world, repo, "--base", "mian")
    assert code == USAGE
    assert "no branch, tag or commit 'mian'" in words
    assert "Did you mean 'main'?" in words


async def test_an_unknown_agent_names_the_nearest(world: World, repo: Path) -> None:
    code, words = await refused(world, repo, "--agent", "writter")
    assert code == USAGE
    assert "did you mean `writer`" in words


async def test_a_budget_that_is_no_amount(world: World, repo: Path) -> None:
    code, words = await refused(world, repo, "--budget", "much")
    assert code == USAGE
    assert "'much' is not an amount in dollars" in words


async def test_a_model_without_a_key(world: World, repo: Path) -> None:
    code, words = await refused(world, repo, "--agent", "claude-code")
    assert code == ENVIRONMENT
    assert "the environment variable ANTHROPIC_API_KEY gives none" in words


async def test_a_repositorys_malformed_settings_are_told_with_file_and_line(world: World) -> None:
    user = world.user()
    commit(user.repo, {".swarm/config.yaml": "checks:\n  - make test\nmax_turns: [3\n"}, "settings")
    code, words = await refused(world, user.repo)
    assert code == USAGE
    assert f"{user.repo}/.swarm/config.yaml:4" in words


async def test_a_repositorys_settings_may_not_widen(world: World) -> None:
    user = world.user(approvals="autonomous")
    code, words = await refused(world, user.repo)
    assert code == USAGE
    assert "may only be stricter than your own" in words


async def test_a_user_without_a_name(world: World) -> None:
    user = world.user()
    for key in ("user.name", "user.email"):
        run_git(user.repo, "config", key, "")
    code, words = await refused(world, user.repo)
    assert code == ENVIRONMENT
    assert "git does not know who you are" in words


async def test_none_of_them_left_anything_in_the_repository(world: World, repo: Path) -> None:
    assert run_git(repo, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert run_git(repo, "worktree", "list").count("\n") == 0


async def test_a_run_that_is_not_there(world: World, repo: Path) -> None:
    done = await types(world, repo, "show", "zzzzz")
    assert done.returncode == USAGE
    assert "there is no task or run 'zzzzz'" in done.stderr


async def test_a_dirty_tree_is_allowed_and_what_is_left_out_is_said(world: World) -> None:
    user = world.user()
    put(user.repo, {"README.md": "not committed\n"})
    done = await types(world, user.repo, "run", "Do it", "--agent", "writer", "--wait")
    assert done.returncode == 3
    assert "uncommitted changes are no part of this: README.md" in done.stderr
    assert run_git(user.repo, "status", "--porcelain") == " M README.md"
    run = done.stdout.strip()
    assert await user.file(run, "README.md") == "# Project"


@story
async def obstructed(world: World) -> wire.RunDetail:
    """Something stands where the run's worktree belongs."""
    user = world.user()
    first = await user.submit("Wait", agent="waiter")
    await user.until(first, RunState.WORKING)
    second = await user.submit("Do it", agent="writer")
    place = world.home.state / "worktrees" / user.repo.name / f"do-it-{second.partition('.')[0]}"
    put(place, {"precious.txt": "not swarm's\n"})
    (world.home.state / "sandboxes" / first / "tree/../../go").resolve().touch()
    return await user.until(second, RunState.FAILED)


async def test_what_stands_where_a_worktree_belongs_is_told(obstructed: wire.RunDetail) -> None:
    reason = obstructed.row.run.reason
    assert f"{obstructed.row.run.worktree} exists already" in reason
    assert "Move it away" in reason


async def test_what_stands_where_a_worktree_belongs_is_not_touched(
    world: World, obstructed: wire.RunDetail
) -> None:
    assert (Path(obstructed.row.run.worktree) / "precious.txt").read_text() == "not swarm's\n"
    assert run_git(world.at(obstructed).repo, "worktree", "list").count("\n") == 1


async def test_once_the_place_is_free_the_run_can_be_resumed(
    world: World, obstructed: wire.RunDetail
) -> None:
    place = Path(obstructed.row.run.worktree)
    place.rename(place.with_name("elsewhere"))
    user, run = world.at(obstructed), obstructed.row.run.id
    await user.resume(run)
    await user.until(run, RunState.IN_REVIEW)
    assert (place / "b.txt").read_text() == "b\n"


async def test_a_supervisor_of_another_version_is_not_talked_to(
    world: World, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "PROTOCOL", 999)
    done = await types(world, repo, "ps")
    assert done.returncode == ENVIRONMENT
    assert "protocol 999" in done.stderr
    assert "swarm upgrade" in done.stderr


async def test_what_is_wrong_in_the_settings_is_told_before_an_upgrade_ends_anything(
    world: World, repo: Path
) -> None:
    file = world.home.config / "config.yaml"
    before = file.read_text()
    try:
        file.write_text(f"{before}concurency: 3\n")
        done = await types(world, repo, "upgrade")
    finally:
        file.write_text(before)
    assert done.returncode == USAGE
    assert "concurency is not a setting; did you mean 'concurrency'?" in done.stderr


async def test_a_worker_whose_state_has_no_place_says_so(world: World, repo: Path) -> None:
    file = world.home.root / "file"
    file.touch()
    done = await asyncio.to_thread(
        world.home.swarm, "worker", cwd=repo, SWARM_STATE_DIR=str(file / "state")
    )
    assert done.returncode == ENVIRONMENT
    assert f"the state directory {file / 'state'} cannot be made" in done.stderr


async def test_a_second_supervisor_on_the_same_state_is_refused(world: World) -> None:
    first = await world.client.hello()
    done = await asyncio.to_thread(world.home.daemon)
    assert done.returncode == ENVIRONMENT
    assert f"another supervisor (process {first.pid}) has {world.home.state}" in done.stderr
    assert (await world.client.hello()).pid == first.pid


async def test_a_repository_elsewhere_is_named_with_repo(world: World) -> None:
    where = make_repository(world.home.root / "far away")
    done = await types(world, Path("/"), "run", "Do it", "--agent", "writer", "--repo", str(where))
    assert done.returncode == 0
    await world.client.detail(done.stdout.strip())
