"""What was looked at is what lands: an agent that goes on, a target that moves, a checkout in use."""

from pathlib import Path

import pytest

from app.repo.errors import TargetDirty, TargetMoved
from app.repo.ingest import Snapshot
from app.repo.merges import Proposal, land
from tests.support.attacks import attack
from tests.support.repos import landing, put, run_git
from tests.support.siege import Siege

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]


async def reviewed(siege: Siege, target: str, script: str = "") -> tuple[Snapshot, Proposal]:
    """A change of the agent's, as a person looked at it."""
    await siege.attack(script)
    snapshot = await siege.look()
    return snapshot, await siege.propose(snapshot, target)


@attack("G30")
async def test_what_the_agent_adds_after_the_review_does_not_land(siege: Siege) -> None:
    siege.branch("g30", {"mine.txt": "mine\n"})
    _, proposal = await reviewed(siege, "g30")
    await siege.act("echo 'back = door' >> src/app.py; git commit --quiet --all --message x")
    await siege.show(await siege.snapshot())
    merged = run_git(siege.user, "merge-tree", "--write-tree", "g30", siege.worktree.branch)
    assert "door" in run_git(siege.user, "show", f"{merged}:src/app.py")  # by name it would land
    landed = await land(siege.repo, siege.hub, landing(proposal, "g30"))
    assert run_git(siege.user, "rev-parse", "g30", f"{landed}^{{tree}}").split() == [
        landed,
        proposal.result_tree,
    ]
    assert "door" not in run_git(siege.user, "show", "g30:src/app.py")


@attack("G30")
async def test_a_target_that_moved_after_the_review_gets_nothing(siege: Siege) -> None:
    siege.branch("g30b", {"mine.txt": "mine\n"})
    _, proposal = await reviewed(siege, "g30b")
    moved = siege.branch("g30c", {"guard.txt": "on\n"})
    run_git(siege.user, "branch", "--force", "g30b", moved)
    with pytest.raises(TargetMoved):
        await land(siege.repo, siege.hub, landing(proposal, "g30b"))
    assert run_git(siege.user, "rev-parse", "g30b") == moved
    naive = run_git(siege.user, "commit-tree", proposal.result_tree, "-p", moved, "-m", "x")
    assert "guard.txt" not in run_git(siege.user, "ls-tree", "--name-only", naive)  # undone unseen


@attack("G31")
async def test_work_in_a_checkout_is_not_written_over(siege: Siege) -> None:
    siege.branch("g31", {"mine.txt": "mine\n"})
    place = siege.root / "checkout-g31"
    run_git(siege.user, "worktree", "add", "--quiet", str(place), "g31")
    _, proposal = await reviewed(siege, "g31")
    naive = siege.root / "naive-g31"
    run_git(siege.user, "worktree", "add", "--quiet", "-b", "g31-naive", str(naive), "g31")
    tree = proposal.result_tree
    bare = run_git(siege.user, "commit-tree", tree, "-p", "g31", "-m", "x")
    run_git(siege.user, "update-ref", "refs/heads/g31-naive", bare)
    assert "M  src/app.py" in run_git(naive, "status", "--short")  # staged: the change, undone
    put(place, {"src/app.py": "half = done\n"})
    before = state(place)
    with pytest.raises(TargetDirty, match=r"src/app\.py"):
        await land(siege.repo, siege.hub, landing(proposal, "g31"))
    assert state(place) == before


@attack("G31")
async def test_a_clean_checkout_moves_with_its_branch(siege: Siege) -> None:
    siege.branch("g31d", {"mine.txt": "mine\n"})
    place = siege.root / "checkout-g31d"
    run_git(siege.user, "worktree", "add", "--quiet", str(place), "g31d")
    _, proposal = await reviewed(siege, "g31d")
    landed = await land(siege.repo, siege.hub, landing(proposal, "g31d"))
    assert state(place) == (landed, "", "def add(a, b):\n    return a + b\n")


def state(place: Path) -> tuple[str, str, str]:
    """Commit, what git calls changed, and the file at stake."""
    status = run_git(place, "status", "--short")
    return run_git(place, "rev-parse", "HEAD"), status, (place / "src" / "app.py").read_text()
