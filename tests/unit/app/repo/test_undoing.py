"""A landed change is taken back, and nothing that anybody did since is."""

from pathlib import Path

import pytest

from app.domain.errors import UsageError
from app.repo import refs
from app.repo.errors import Conflicts, TargetDirty
from app.repo.hub import Hub
from app.repo.merges import Words, land
from app.repo.repository import Repository
from app.repo.undoing import undo
from tests.support.repos import RUN, WORDS, AgentAtWork, commit, landing, put, run_git

FIX = {"src/app.py": "def add(a, b):\n    return a + b\n"}
UNDO = Words(message='Undo "Fix add"', author=WORDS.author, date=WORDS.date + 60)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["checked out", "not checked out"])
async def test_where_nothing_followed_the_branch_goes_back(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path, *, elsewhere: bool
) -> None:
    landed = await land(repo, hub, landing(await agent.propose(await agent.snapshot(FIX))))
    if elsewhere:
        run_git(user, "checkout", "--quiet", "--detach")
    done = await undo(repo, hub, landed, run=RUN, target="main", words=UNDO)
    assert (done.how, done.commit) == ("moved back", agent.base)
    assert run_git(user, "rev-parse", "main") == agent.base
    assert run_git(user, "status", "--porcelain") == ""
    assert run_git(user, "rev-parse", refs.undone(RUN)) == landed


async def test_going_back_twice_goes_back_once(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    landed = await land(repo, hub, landing(await agent.propose(await agent.snapshot(FIX))))
    first = await undo(repo, hub, landed, run=RUN, target="main", words=UNDO)
    assert await undo(repo, hub, landed, run=RUN, target="main", words=UNDO) == first
    assert run_git(user, "rev-parse", "main") == agent.base


@pytest.mark.parametrize("ref", ["refs/heads/feature", "refs/tags/v1", "refs/remotes/origin/main"])
async def test_what_others_may_have_is_reverted_instead(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path, ref: str
) -> None:
    landed = await land(repo, hub, landing(await agent.propose(await agent.snapshot(FIX))))
    run_git(user, "update-ref", ref, landed)
    done = await undo(repo, hub, landed, run=RUN, target="main", words=UNDO)
    assert done.how == "reverted"
    assert run_git(user, "rev-parse", "main~1") == landed


async def test_undoing_lands_the_reverse_and_keeps_later_work(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    landed = await land(repo, hub, landing(await agent.propose(await agent.snapshot(FIX))))
    commit(user, {"later.py": "x\n"})
    reverse = await undo(repo, hub, landed, run=RUN, target="main", words=UNDO)
    assert reverse.how == "reverted"
    assert run_git(user, "rev-parse", "main") == reverse.commit
    assert "a - b" in (user / "src/app.py").read_text()
    assert (user / "later.py").exists()


async def test_undoing_twice_is_undoing_once(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    landed = await land(repo, hub, landing(await agent.propose(await agent.snapshot(FIX))))
    commit(user, {"later.py": "x\n"})
    first = await undo(repo, hub, landed, run=RUN, target="main", words=UNDO)
    commit(user, {"latest.py": "x\n"})
    assert await undo(repo, hub, landed, run=RUN, target="main", words=UNDO) == first


async def test_undoing_what_later_commits_changed_is_refused_with_the_files(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    landed = await land(repo, hub, landing(await agent.propose(await agent.snapshot(FIX))))
    commit(user, {"src/app.py": "def add(a, b):\n    return sum([a, b])\n"})
    with pytest.raises(Conflicts, match=r"src/app\.py") as caught:
        await undo(repo, hub, landed, run=RUN, target="main", words=UNDO)
    assert "git revert" in caught.value.hint


async def test_undoing_what_never_landed_is_refused(
    agent: AgentAtWork, repo: Repository, hub: Hub
) -> None:
    snapshot = await agent.snapshot(FIX)
    with pytest.raises(UsageError, match="is not on 'main'"):
        await undo(repo, hub, snapshot.commit, run=RUN, target="main", words=UNDO)


async def test_undoing_under_uncommitted_work_is_refused(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    landed = await land(repo, hub, landing(await agent.propose(await agent.snapshot(FIX))))
    put(user, {"src/app.py": "my own edit\n"})
    with pytest.raises(TargetDirty):
        await undo(repo, hub, landed, run=RUN, target="main", words=UNDO)
    assert (user / "src/app.py").read_text() == "my own edit\n"
