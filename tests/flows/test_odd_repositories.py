"""Repositories as they come, and users who do what they like to them: the whole way, with nothing lost."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from app import wire
from app.domain.errors import RepoError
from app.domain.events import Note
from app.domain.run import RunState
from tests.support.actions import SwarmActions
from tests.support.repos import FILES, commit, make_repository, put, run_git, set_tripwires
from tests.support.scripts import edit, scripted, wait_for
from tests.support.world import World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = {
    "quick": scripted([edit("agent.txt", "1\n")], [edit("agent.txt", "2\n")]),
    "slow": scripted(
        [edit("agent.txt", "1\n"), wait_for("../go", "first"), edit("agent.txt", "2\n")],
        [edit("agent.txt", "3\n")],
    ),
}


@dataclass(frozen=True)
class Halfway:
    """A run whose agent has shown its first file, and waits."""

    world: World
    user: SwarmActions
    run: str
    worktree: Path
    branch: str

    async def finish(self) -> wire.RunDetail:
        """Let the agent go on to its end."""
        (self.world.home.state / "sandboxes" / self.run / "go").touch()
        return await self.user.until(self.run, RunState.IN_REVIEW)

    async def land(self) -> str:
        """Approve it; what then stands in the agent's file on the target."""
        landed = await self.user.approve(self.run)
        assert landed.row.run.state == RunState.MERGED, landed.row.run.reason
        await self.user.settled(self.run)
        return run_git(self.user.repo, "show", f"{landed.reviews[-1].target}:agent.txt")

    async def notes(self) -> str:
        said = [event.body for event in await self.user.events(self.run)]
        return "\n".join(body.text for body in said if isinstance(body, Note))


async def halfway(world: World, user: SwarmActions, *, base: str = "") -> Halfway:
    run = await user.submit(agent="slow", base=base)
    await user.wrote(run, "agent.txt")
    found = (await world.client.detail(run)).row.run
    while run_git(user.repo, "rev-parse", f"refs/swarm/published/{run}") == found.base:
        await asyncio.sleep(0.02)  # The files come first, the branch follows.
    return Halfway(world, user, run, Path(found.worktree), found.branch)


def prune(repo: Path) -> None:
    """The thorough user."""
    run_git(repo, "reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all")
    run_git(repo, "gc", "--quiet", "--prune=now")


@dataclass(frozen=True)
class Odd:
    """A repository of everything that is odd, after a run in it has landed."""

    user: SwarmActions
    run: wire.RunDetail
    mark: Path
    """Where hooks and configured programs leave word that they ran."""
    before: list[str]
    """The files of the target, as git lists them."""


@story
async def odd(world: World) -> Odd:
    user = world.user({**FILES, **{f"d{n % 20}/f{n}.txt": f"{n}\n" for n in range(1_000)}})
    library = make_repository(world.home.root / "library")
    allow = ("-c", "protocol.file.allow=always")
    run_git(user.repo, *allow, "submodule", "--quiet", "add", str(library), "lib")
    for name, target in {"out": "../../elsewhere", "abs": "/etc/hostname", "dir": "src"}.items():
        (user.repo / name).symlink_to(target)
    put(user.repo, {"a\nb": "x", "caf\udce9/\udcff.txt": "x", "Ä/ä.txt": "x"})
    commit(user.repo, {}, "odd")
    run_git(user.repo, "branch", "swarm")
    put(make_repository(user.repo / "inner"), {"unsaved.txt": "mine"})
    mark = set_tripwires(user.repo)
    keys = ("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "gpg.program")
    for key in (*keys, "diff.external", "credential.helper", "core.alternateRefsCommand"):
        run_git(user.repo, "config", key, f"touch {mark}; false")
    before = listed(user.repo)
    run = await user.submit(agent="quick")
    landed = await user.approve(run)
    assert landed.row.run.state == RunState.MERGED, landed.row.run.reason
    await user.settled(run)
    return Odd(user, landed, mark, before)


def listed(repo: Path) -> list[str]:
    """What is on `main`; no program of the repository's own is asked for it."""
    return run_git(repo, "-c", "core.fsmonitor=false", "ls-tree", "-r", "main").splitlines()


async def test_no_hook_and_no_program_of_a_hostile_configuration_runs(odd: Odd) -> None:
    assert not odd.mark.exists()


async def test_names_and_links_of_every_kind_stay_as_they_are(odd: Odd) -> None:
    assert len([line for line in odd.before if line.startswith("120000")]) == 3
    after = listed(odd.user.repo)
    assert [line for line in after if not line.endswith("\tagent.txt")] == odd.before
    assert len(after) == len(odd.before) + 1


async def test_a_submodule_is_told_and_stays(odd: Odd) -> None:
    said = [event.body for event in await odd.user.events(odd.run.row.run.id)]
    words = [body.text for body in said if isinstance(body, Note)]
    assert "submodules are empty for the agent: lib" in words
    assert (odd.user.repo / "lib" / "README.md").exists()


async def test_a_repository_within_the_checkout_is_left_alone(odd: Odd) -> None:
    assert (odd.user.repo / "inner" / "unsaved.txt").read_text() == "mine"


async def test_a_branch_called_swarm_is_gone_around(odd: Odd) -> None:
    assert odd.run.row.run.branch.startswith("swarm-write-a-note-")


async def test_a_base_that_was_rewritten_and_pruned_gets_the_change_on_top(world: World) -> None:
    at = await halfway(world, world.user())
    put(at.user.repo, {"README.md": "# Rewritten\n"})
    run_git(at.user.repo, "commit", "--quiet", "--all", "--amend", "--message", "rewritten")
    prune(at.user.repo)
    await at.finish()
    assert await at.land() == "2"
    assert run_git(at.user.repo, "log", "--format=%s") == "Write a note\nrewritten"


async def test_a_history_replaced_after_a_landing_is_worked_on_as_any_and_the_old_run_says_why(
    world: World,
) -> None:
    user = world.user()
    commit(user.repo, {"old.txt": "only then\n"}, "old")
    landed = await user.submit(agent="quick")
    await user.approve(landed)
    await user.settled(landed)
    run_git(user.repo, "checkout", "--quiet", "--orphan", "fresh")
    run_git(user.repo, "rm", "-rfq", ".")
    commit(user.repo, {"new.txt": "new\n"}, "fresh")
    run_git(user.repo, "branch", "--move", "--force", "fresh", "main")
    prune(user.repo)
    with pytest.raises(RepoError, match="its history was rewritten"):
        await world.client.diff(landed)
    await user.approve(await user.submit(agent="quick"))
    assert (user.repo / "agent.txt").read_text() == "1\n"


async def test_a_target_that_was_deleted_and_pruned_can_be_made_again(world: World) -> None:
    user = world.user()
    run_git(user.repo, "checkout", "--quiet", "-b", "release")
    commit(user.repo, {"only-here.txt": "x\n"}, "on release")
    run_git(user.repo, "checkout", "--quiet", "main")
    at = await halfway(world, user, base="release")
    run_git(user.repo, "branch", "--quiet", "-D", "release")
    prune(user.repo)
    shown = await at.finish()
    back = await user.approve(at.run)
    assert "the branch 'release' is gone" in back.row.run.reason
    run_git(user.repo, "branch", "release", shown.row.run.base)
    assert await at.land() == "2"
    assert run_git(user.repo, "show", "release:only-here.txt") == "x"


async def test_a_branch_deleted_under_a_working_agent_is_told_and_loses_nothing(
    world: World,
) -> None:
    at = await halfway(world, world.user())
    run_git(at.user.repo, "update-ref", "-d", f"refs/heads/{at.branch}")
    prune(at.user.repo)
    await at.finish()
    assert f"the branch {at.branch} was deleted" in await at.notes()
    assert await at.land() == "2"


async def test_a_worktree_moved_away_under_a_working_agent_keeps_what_a_person_left_there(
    world: World,
) -> None:
    at = await halfway(world, world.user())
    put(at.worktree, {"mine.txt": "mine\n"})
    away = at.worktree.rename(world.home.root / "moved-away")
    await at.finish()
    await at.user.changes(at.run, "once more")
    await at.user.until(at.run, RunState.IN_REVIEW)
    assert (at.worktree / "agent.txt").read_text() == "3\n"
    assert await at.land() == "3"
    assert (away / "mine.txt").read_text() == "mine\n"


async def test_a_worktree_moved_with_git_stays_a_worktree_of_the_user(world: World) -> None:
    at = await halfway(world, world.user())
    put(at.worktree, {"mine.txt": "mine\n"})
    away = world.home.root / "moved-with-git"
    run_git(at.user.repo, "worktree", "move", str(at.worktree), str(away))
    await at.finish()
    assert f"{at.branch} is checked out in {away}" in await at.notes()
    await at.user.changes(at.run, "once more")
    await at.user.until(at.run, RunState.IN_REVIEW)
    assert await at.land() == "3"
    assert (away / "mine.txt").read_text() == "mine\n"
    assert "mine.txt" in run_git(away, "status", "--porcelain")


async def test_a_worktree_deleted_under_a_working_agent_is_made_again(world: World) -> None:
    at = await halfway(world, world.user())
    shutil.rmtree(at.worktree)
    await at.finish()
    await at.user.changes(at.run, "once more")
    await at.user.until(at.run, RunState.IN_REVIEW)
    assert (at.worktree / "agent.txt").read_text() == "3\n"
    assert await at.land() == "3"


async def test_a_repository_that_was_renamed_is_followed(world: World) -> None:
    user = world.user()
    at = await halfway(world, user)
    put(at.worktree, {"mine.txt": "mine\n"})
    await at.finish()
    thrown = await user.submit(agent="quick")
    await user.review(thrown)
    await user.discard(thrown)
    await user.settled(thrown)
    new = user.repo.rename(world.home.root / "renamed")
    with pytest.raises(RepoError, match="is not there any more") as told:
        await world.client.detail(at.run)
    assert "run `swarm ps` in its new place" in told.value.hint

    here = SwarmActions(world.client, new)
    shown = {row.run.id for row in (await world.client.board(str(new))).rows}
    assert shown == {at.run}
    assert run_git(at.worktree, "log", "--format=%s", "-1").startswith("Snapshot")
    await here.changes(at.run, "once more")
    assert {f.path for f in (await here.review(at.run)).files} == {"agent.txt", "mine.txt"}
    await here.restore(thrown)
    assert await here.file(thrown, "agent.txt") == "1"
    await here.approve(at.run)
    await here.settled(at.run)
    assert (new / "agent.txt").read_text() == "3\n"
