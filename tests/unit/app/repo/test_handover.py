"""A person's commits and edits reach the agent's tree, and neither side ever overwrites the other."""

from pathlib import Path

import pytest

from app.repo import refs
from app.repo.errors import Conflicts, TargetDirty
from app.repo.handover import own_work
from app.repo.hub import Hub
from app.repo.publish import publish
from app.repo.repository import Repository
from app.repo.worktrees import Worktree, ensure_worktree
from tests.support.repos import NOW, AgentAtWork, commit, put, run_git

EDIT = {"README.md": "# Project, as I see it\n"}
FIX = {"src/app.py": "def add(a, b):\n    return a + b\n"}
OTHER_FIX = {"src/app.py": "def add(a, b):\n    return sum((a, b))\n"}


@pytest.fixture
async def shown(agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree) -> Path:
    """The run's worktree, made."""
    await ensure_worktree(repo, hub, worktree, agent.base)
    return Path(worktree.path)


async def test_where_a_person_did_nothing_there_is_nothing_to_hand_over(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    made = await agent.snapshot(FIX)
    await publish(repo, hub, worktree, made)
    assert await agent.hand_over(worktree, made.commit) is None


async def test_a_commit_arrives_as_a_commit_and_as_files(
    shown: Path, agent: AgentAtWork, worktree: Worktree
) -> None:
    own = commit(shown, EDIT, "my own")
    made = await agent.snapshot(FIX)
    await agent.hand_over(worktree, made.commit)
    assert (agent.tree / "README.md").read_text() == EDIT["README.md"]
    assert (agent.tree / "src/app.py").read_text() == FIX["src/app.py"]
    assert own in run_git(agent.tree, "log", "--format=%H")
    assert "my own" in run_git(agent.tree, "log", "--format=%s")
    assert run_git(agent.tree, "status", "--porcelain") == ""


async def test_an_edit_becomes_a_commit_of_the_persons(
    shown: Path, agent: AgentAtWork, worktree: Worktree
) -> None:
    put(shown, {**EDIT, "mine.txt": "mine\n"})
    made = await agent.snapshot(FIX)
    await agent.hand_over(worktree, made.commit)
    assert (agent.tree / "mine.txt").read_text() == "mine\n"
    assert run_git(shown, "status", "--porcelain") == ""
    assert run_git(shown, "log", "-1", "--format=%an") == "Ada"
    assert (shown / "README.md").read_text() == EDIT["README.md"]


async def test_afterwards_the_branch_moves_on_with_both(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    own = commit(shown, EDIT, "my own")
    made = await agent.snapshot(FIX)
    assert (await publish(repo, hub, worktree, made)).state == "diverged"
    await agent.hand_over(worktree, made.commit)
    joined = await agent.snapshot()
    assert (await publish(repo, hub, worktree, joined)).state == "current"
    assert own in run_git(shown, "log", "--format=%H")
    assert (shown / "src/app.py").read_text() == FIX["src/app.py"]
    assert (shown / "README.md").read_text() == EDIT["README.md"]


async def test_a_file_that_looks_private_stays_where_it_is(
    shown: Path, agent: AgentAtWork, worktree: Worktree
) -> None:
    put(shown, {".env": "KEY=1\n", **EDIT})
    await agent.hand_over(worktree, agent.base)
    assert not (agent.tree / ".env").exists()
    assert (shown / ".env").read_text() == "KEY=1\n"


async def test_a_file_that_was_added_although_ignored_stays_in_the_next_snapshot(
    shown: Path, agent: AgentAtWork, worktree: Worktree
) -> None:
    put(shown, {"build/note.log": "kept\n"})
    run_git(shown, "add", "--force", "build/note.log")
    run_git(shown, "commit", "--quiet", "--message", "although ignored")
    await agent.hand_over(worktree, agent.base)
    made = await agent.snapshot(FIX)
    assert run_git(agent.hub.git_dir, "show", f"{made.commit}:build/note.log") == "kept"


async def test_the_agents_own_commits_stay_in_its_history(
    shown: Path, agent: AgentAtWork, worktree: Worktree
) -> None:
    commit(shown, EDIT, "my own")
    run_git(agent.tree, "config", "user.name", "agent")
    theirs = commit(agent.tree, FIX, "the agent's")
    made = await agent.snapshot()
    await agent.hand_over(worktree, made.commit)
    said = run_git(agent.tree, "log", "--format=%H %s")
    assert theirs in said
    assert "my own" in said


async def test_a_conflict_is_said_and_touches_neither_side(
    shown: Path, agent: AgentAtWork, worktree: Worktree
) -> None:
    own = commit(shown, OTHER_FIX, "my own")
    made = await agent.snapshot(FIX)
    with pytest.raises(Conflicts, match=r"you and the agent both changed src/app\.py") as caught:
        await agent.hand_over(worktree, made.commit)
    assert refs.agents(agent.run) in caught.value.hint
    assert run_git(shown, "rev-parse", "HEAD") == own
    assert (agent.tree / "src/app.py").read_text() == FIX["src/app.py"]


async def test_what_a_person_settled_is_what_the_agent_goes_on_with(
    shown: Path, agent: AgentAtWork, worktree: Worktree
) -> None:
    commit(shown, OTHER_FIX, "my own")
    made = await agent.snapshot(FIX)
    with pytest.raises(Conflicts):
        await agent.hand_over(worktree, made.commit)
    run_git(shown, "merge", refs.agents(agent.run), check=False)
    with pytest.raises(TargetDirty, match="a merge or rebase is unfinished"):
        await agent.hand_over(worktree, made.commit)
    settled = commit(shown, {"src/app.py": "add = sum\n"}, "both")
    done = await agent.hand_over(worktree, made.commit)
    assert done is not None
    assert done.commit == settled
    assert (agent.tree / "src/app.py").read_text() == "add = sum\n"


async def test_an_amended_snapshot_is_joined_all_the_same(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    await publish(repo, hub, worktree, await agent.snapshot(FIX))
    put(shown, EDIT)
    run_git(shown, "commit", "--quiet", "--all", "--amend", "--message", "mine now")
    made = await agent.snapshot({"new.txt": "new\n"})
    await agent.hand_over(worktree, made.commit)
    assert (agent.tree / "README.md").read_text() == EDIT["README.md"]
    assert (agent.tree / "new.txt").read_text() == "new\n"


async def test_what_was_handed_over_outlives_the_branch_and_a_cleanup(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    own = commit(shown, EDIT, "my own")
    await agent.hand_over(worktree, agent.base)
    run_git(repo.root, "worktree", "remove", "--force", worktree.path)
    run_git(repo.root, "branch", "-D", worktree.branch)
    run_git(repo.root, "reflog", "expire", "--expire=now", "--all")
    run_git(repo.root, "gc", "--quiet", "--prune=now")
    assert run_git(hub.git_dir, "show", f"{own}:README.md") == EDIT["README.md"].strip()


async def test_a_deleted_branch_hands_over_nothing(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    run_git(repo.root, "worktree", "remove", worktree.path)
    run_git(repo.root, "branch", "-D", worktree.branch)
    assert await own_work(repo, hub, worktree, agent.base, now=NOW) == ""
