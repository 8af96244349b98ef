"""From a commit of the user's to a commit on the target, with an agent's edits between."""

from pathlib import Path

from app.repo.diffs import diff
from app.repo.hub import Hub
from app.repo.merges import land
from app.repo.publish import publish
from app.repo.repository import Repository
from app.repo.worktrees import Worktree, ensure_worktree
from tests.support.repos import AgentAtWork, landing, run_git


async def test_an_edit_goes_from_the_tree_to_the_target_and_into_the_users_files(
    agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree, user: Path
) -> None:
    await ensure_worktree(repo, hub, worktree, agent.base)
    snapshot = await agent.snapshot({"src/app.py": "def add(a, b):\n    return a + b\n"})
    assert [(file.path, file.status) for file in snapshot.files] == [("src/app.py", "modified")]
    assert (snapshot.insertions, snapshot.deletions) == (1, 1)
    assert b"+    return a + b" in await diff(hub, agent.base, snapshot.commit)

    shown = await publish(repo, hub, worktree, snapshot)
    assert shown.state == "current", shown.detail
    assert "a + b" in (Path(worktree.path) / "src/app.py").read_text()

    proposal = await agent.propose(snapshot)
    assert proposal.conflicts == ()
    commit = await land(repo, hub, landing(proposal))
    assert run_git(user, "rev-parse", "main") == commit
    assert "a + b" in (user / "src/app.py").read_text()
    assert run_git(user, "status", "--porcelain") == ""
    assert run_git(user, "fsck", "--strict") == ""
