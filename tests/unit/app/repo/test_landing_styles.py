"""An approved tree lands as one commit, or behind a merge commit; it is the same tree in each way."""

from pathlib import Path

import msgspec
import pytest

from app.repo.hub import Hub
from app.repo.merges import Landing, Side, land
from app.repo.repository import Repository
from app.repo.undoing import undo
from tests.support.repos import RUN, WORDS, AgentAtWork, commit, landing, run_git

FIRST = {"src/app.py": "password = 'draft nobody has seen'\n"}
FIX = {"src/app.py": "def add(a, b):\n    return a + b\n"}


@pytest.fixture
async def merging(agent: AgentAtWork, user: Path) -> Landing:
    """A change of two snapshots, to be merged into a target that moved meanwhile."""
    moved = commit(user, {"theirs.py": "x\n"})
    await agent.snapshot(FIRST)
    snapshot = await agent.snapshot(FIX)
    proposal = await agent.propose(snapshot)
    assert proposal.tip == moved
    side = Side(base=agent.base, snapshot=snapshot.commit)
    return msgspec.structs.replace(landing(proposal), side=side)


async def test_a_merge_puts_exactly_the_approved_tree_on_the_target(
    merging: Landing, repo: Repository, hub: Hub, user: Path
) -> None:
    await land(repo, hub, merging)
    assert run_git(user, "rev-parse", "main^{tree}") == merging.result_tree
    assert run_git(user, "rev-parse", "main^1") == merging.tip
    assert (user / "src/app.py").read_text() == FIX["src/app.py"]


async def test_the_side_of_a_merge_is_the_change_on_its_base_in_one_commit(
    merging: Landing, repo: Repository, hub: Hub, user: Path, agent: AgentAtWork
) -> None:
    await land(repo, hub, merging)
    assert run_git(user, "rev-parse", "main^2^1") == agent.base
    assert run_git(user, "diff", "--name-only", "main^2^1", "main^2") == "src/app.py"
    assert run_git(user, "log", "-1", "--format=%an", "main^2") == WORDS.author[0]


async def test_what_an_agent_had_in_between_does_not_land(
    merging: Landing, repo: Repository, hub: Hub, user: Path
) -> None:
    await land(repo, hub, merging)
    assert run_git(user, "log", "--format=%h", "-S", "draft nobody has seen", "main") == ""


async def test_a_merge_landed_again_is_the_same_commit(
    merging: Landing, repo: Repository, hub: Hub
) -> None:
    assert await land(repo, hub, merging) == await land(repo, hub, merging)


async def test_a_merge_that_nothing_followed_is_undone_by_moving_back(
    merging: Landing, repo: Repository, hub: Hub, user: Path
) -> None:
    landed = await land(repo, hub, merging)
    done = await undo(repo, hub, landed, run=RUN, target="main", words=WORDS)
    assert (done.how, run_git(user, "rev-parse", "main")) == ("moved back", merging.tip)


async def test_a_merge_that_others_built_on_is_undone_on_top(
    merging: Landing, repo: Repository, hub: Hub, user: Path
) -> None:
    landed = await land(repo, hub, merging)
    commit(user, {"later.py": "y\n"})
    done = await undo(repo, hub, landed, run=RUN, target="main", words=WORDS)
    assert done.how == "reverted"
    assert run_git(user, "diff", "--name-only", merging.tip, "main") == "later.py"
