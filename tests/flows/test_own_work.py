"""A person's own edits and commits in the worktree of a run survive everything swarm does."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from app.domain.events import Note, TurnStarted
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


@dataclass(frozen=True)
class Joined:
    """A run that was sent back to work after a person had committed and edited in its worktree."""

    user: SwarmActions
    run: str
    worktree: Path
    own: str
    """The person's commit."""

    @property
    def tree(self) -> Path:
        """The agent's own."""
        return self.worktree.parents[2] / "sandboxes" / self.run / "tree"


@story
async def joined(world: World) -> Joined:
    user = world.user()
    run = await user.submit(agent="quick")
    await user.review(run)
    worktree = Path((await user.client.detail(run)).row.run.worktree)
    own = commit(worktree, {"mine.txt": "mine\n"}, "my own commit")
    put(worktree, {"README.md": EDIT})
    await user.changes(run, "once more")
    await user.until(run, RunState.IN_REVIEW)
    return Joined(user, run, worktree, own)


async def test_commits_and_edits_reach_the_agent_before_its_next_turn(joined: Joined) -> None:
    assert (joined.tree / "mine.txt").read_text() == "mine\n"
    assert (joined.tree / "README.md").read_text() == EDIT
    assert joined.own in run_git(joined.tree, "log", "--format=%H")


async def test_the_agent_is_told_in_one_sentence(joined: Joined) -> None:
    said = [event.body for event in await joined.user.events(joined.run)]
    prompt = [body.prompt for body in said if isinstance(body, TurnStarted)][-1]
    assert "Meanwhile Ada worked on your branch" in prompt
    assert "README.md, mine.txt" in prompt


async def test_branch_worktree_and_review_have_both(joined: Joined) -> None:
    assert run_git(joined.worktree, "status", "--porcelain") == ""
    assert joined.own in run_git(joined.worktree, "log", "--format=%H")
    assert (joined.worktree / "agent.txt").read_text() == "2\n"
    shown = await joined.user.review(joined.run)
    assert [file.path for file in shown.files] == ["README.md", "agent.txt", "mine.txt"]


async def test_both_survive_discard_and_restore(joined: Joined) -> None:
    put(joined.worktree, {"README.md": "later\n"})
    await joined.user.discard(joined.run)
    await joined.user.settled(joined.run)
    assert not joined.worktree.exists()
    await joined.user.restore(joined.run)
    assert joined.own in run_git(joined.worktree, "log", "--format=%H")
    assert (joined.worktree / "README.md").read_text() == "later\n"


async def test_a_conflict_with_the_agent_waits_for_the_person_and_loses_nothing(
    world: World,
) -> None:
    user = world.user()
    run = await user.submit(agent="quick")
    await user.review(run)
    worktree = Path((await user.client.detail(run)).row.run.worktree)
    run_git(worktree, "reset", "--quiet", "--hard", "HEAD~1")
    commit(worktree, {"agent.txt": "mine\n"}, "my own")
    await user.changes(run, "once more")
    stopped = await user.until(run, RunState.FAILED)
    assert "you and the agent both changed agent.txt" in stopped.row.run.reason
    assert (worktree / "agent.txt").read_text() == "mine\n"
    run_git(worktree, "merge", f"refs/swarm/agent/{run}", check=False)
    commit(worktree, {"agent.txt": "settled\n"}, "both")
    await user.resume(run)
    await user.until(run, RunState.IN_REVIEW)
    assert "settled" in run_git(worktree, "show", "HEAD~1:agent.txt")
    assert (worktree / "agent.txt").read_text() == "2\n"
    assert run_git(user.repo, "for-each-ref", "refs/swarm/agent") == ""


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
