"""A person's own edits and commits in the worktree of a run survive everything swarm does."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from app.domain.events import Note
from app.domain.run import RunState
from tests.support.actions import SwarmActions
from tests.support.repos import commit, put, run_git
from tests.support.scripts import edit, scripted, wait_for
from tests.support.world import World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = {
    "slow": scripted(
        [edit("agent.txt", "1\n"), wait_for("../../go", "first"), edit("agent.txt", "2\n")],
        [edit("agent.txt", "3\n")],
    ),
    "quick": scripted([edit("agent.txt", "1\n")], [edit("agent.txt", "2\n")]),
}
EDIT = "# Project, as I see it\n"


@dataclass(frozen=True)
class Touched:
    """A run in whose worktree a person worked while the agent did."""

    user: SwarmActions
    run: str
    worktree: Path

    async def notes(self) -> str:
        """What swarm said about it."""
        said = await self.user.events(self.run)
        return "\n".join(event.body.text for event in said if isinstance(event.body, Note))


async def touched(world: World) -> Touched:
    user = world.user()
    run = await user.submit(agent="slow")
    await user.wrote(run, "agent.txt")
    shown = await user.client.detail(run)
    return Touched(user, run, Path(shown.row.run.worktree))


async def finished(world: World, at: Touched) -> None:
    """Let the agent go on to its end."""
    (world.home.state / "sandboxes" / at.run / "tree/../../go").resolve().touch()
    await at.user.review(at.run)


@story
async def edited(world: World) -> Touched:
    """A person edits a tracked file while the agent works."""
    at = await touched(world)
    put(at.worktree, {"README.md": EDIT, "mine.txt": "mine\n"})
    await finished(world, at)
    return at


async def test_an_edit_survives_the_snapshots(edited: Touched) -> None:
    assert (edited.worktree / "README.md").read_text() == EDIT
    assert (edited.worktree / "mine.txt").read_text() == "mine\n"


async def test_that_the_worktree_is_behind_is_told(edited: Touched) -> None:
    assert "branch and worktree stay as they are: uncommitted work in" in await edited.notes()


async def test_the_review_shows_the_agents_work_and_not_the_edit(edited: Touched) -> None:
    shown = await edited.user.review(edited.run)
    assert [file.path for file in shown.files] == ["agent.txt"]


async def test_an_edit_survives_the_landing_in_the_trash(edited: Touched) -> None:
    repo = edited.user.repo
    await edited.user.approve(edited.run)
    await edited.user.settled(edited.run)
    assert (repo / "README.md").read_text() == "# Project\n"
    assert (repo / "agent.txt").read_text() == "2\n"
    saved = f"refs/swarm/trash/{edited.run}"
    assert run_git(repo, "show", f"{saved}:README.md") == EDIT.strip()
    assert run_git(repo, "show", f"{saved}:mine.txt") == "mine"
    assert f"`git show {saved}`" in await edited.notes()


async def test_a_commit_survives_snapshots_discard_and_restore(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="quick")
    await user.review(run)
    worktree = Path((await user.client.detail(run)).row.run.worktree)
    own = commit(worktree, {"mine.txt": "mine\n"}, "my own commit")
    await user.changes(run, "once more")
    await user.until(run, RunState.IN_REVIEW)
    branch = (await user.client.detail(run)).row.run.branch
    assert run_git(user.repo, "rev-parse", branch) == own
    put(worktree, {"README.md": EDIT})
    await user.discard(run)
    await user.settled(run)
    assert not worktree.exists()
    await user.restore(run)
    assert run_git(user.repo, "rev-parse", branch) == own
    assert (worktree / "README.md").read_text() == EDIT


async def test_a_worktree_that_a_person_removed_is_no_obstacle(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="quick")
    await user.review(run)
    worktree = (await user.client.detail(run)).row.run.worktree
    run_git(user.repo, "worktree", "remove", worktree)
    await user.approve(run)
    await user.settled(run)
    assert (user.repo / "agent.txt").read_text() == "1\n"


async def test_a_branch_that_a_person_deleted_is_no_obstacle(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="quick")
    await user.review(run)
    found = (await user.client.detail(run)).row.run
    run_git(user.repo, "worktree", "remove", found.worktree)
    run_git(user.repo, "branch", "-D", found.branch)
    await user.approve(run)
    await user.settled(run)
    assert run_git(user.repo, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
