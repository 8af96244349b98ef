import asyncio
from pathlib import Path

import msgspec
import pytest

from app.repo.errors import TargetDirty, TargetMoved
from app.repo.hub import Hub, ensure_hub
from app.repo.merges import advance, compose, land, propose
from app.repo.repository import Repository, open_repository
from app.repo.transfer import carry
from tests.support.repos import (
    RUN,
    WORDS,
    AgentAtWork,
    HostSandbox,
    commit,
    landing,
    put,
    run_git,
    set_tripwires,
)

FIX = {"src/app.py": "def add(a, b):\n    return a + b\n"}


@pytest.fixture
def away(user: Path) -> Path:
    """The user is on another branch, so the target is checked out nowhere."""
    run_git(user, "switch", "--quiet", "--create", "other")
    return user


async def test_the_result_on_an_unmoved_target_is_the_snapshot(agent: AgentAtWork) -> None:
    snapshot = await agent.snapshot(FIX)
    proposal = await agent.propose(snapshot)
    assert (proposal.tip, proposal.result_tree) == (agent.base, snapshot.tree)
    assert proposal.files == snapshot.files


async def test_a_moved_target_keeps_both_sides(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    moved = commit(user, {"theirs.py": "x\n"})
    proposal = await agent.propose(await agent.snapshot(FIX))
    assert proposal.tip == moved
    assert [file.path for file in proposal.files] == ["src/app.py"]
    await land(repo, hub, landing(proposal))
    assert (user / "theirs.py").exists()
    assert "a + b" in (user / "src/app.py").read_text()


async def test_proposing_again_gives_the_same(agent: AgentAtWork, user: Path) -> None:
    commit(user, {"theirs.py": "x\n"})
    snapshot = await agent.snapshot(FIX)
    assert await agent.propose(snapshot) == await agent.propose(snapshot)


async def test_only_what_the_run_changed_lands_on_a_target_that_is_not_its_base(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    run_git(user, "branch", "release")
    base = commit(user, {"unreleased.py": "x\n"})
    other = AgentAtWork(repo, hub, agent.sandbox, base)
    await other.sandbox.aside(f"rm -rf {other.tree}/.git {other.tree}/* {other.tree}/.gitignore")
    await other.sandbox.aside(f"rm -rf {other.sandbox.places.scratch}/*")
    await other.prepare()
    proposal = await other.propose(await other.snapshot(FIX), target="release")
    assert [file.path for file in proposal.files] == ["src/app.py"]


async def test_a_conflict_is_an_outcome_that_names_the_files(
    agent: AgentAtWork, user: Path
) -> None:
    commit(user, {"src/app.py": "def add(a, b):\n    return b + a\n"})
    proposal = await agent.propose(await agent.snapshot({**FIX, "new.py": "x\n"}))
    assert proposal.conflicts == ("src/app.py",)
    assert proposal.result_tree == ""
    assert [file.path for file in proposal.files] == ["new.py", "src/app.py"]


async def test_attributes_in_the_tree_swallow_no_conflict(agent: AgentAtWork, user: Path) -> None:
    commit(user, {".gitattributes": "*.py merge=union\n", "src/app.py": "theirs\n"})
    proposal = await agent.propose(await agent.snapshot({"src/app.py": "ours\n"}))
    assert proposal.conflicts == ("src/app.py",)


async def test_a_change_for_a_target_that_is_gone_can_be_looked_at_and_does_not_land(
    agent: AgentAtWork, repo: Repository, hub: Hub
) -> None:
    proposal = await agent.propose(await agent.snapshot(FIX), target="absent")
    assert (proposal.tip, [file.path for file in proposal.files]) == (agent.base, ["src/app.py"])
    with pytest.raises(TargetMoved, match="'absent' is gone"):
        await land(repo, hub, landing(proposal, target="absent"))


async def test_what_lands_is_one_commit_by_the_user_with_trailers(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    commit_id = await land(repo, hub, landing(await agent.propose(await agent.snapshot(FIX))))
    about = run_git(user, "log", "-1", "--format=%an <%ae> %ct %P%n%s%n%(trailers)", commit_id)
    assert about.splitlines() == [
        f"Ada <ada@example.org> 1800000000 {agent.base}",
        "Fix add",
        f"Swarm-Run: {RUN}",
        f"Swarm-Snapshot: {'5' * 40}",
        "Swarm-Review: k3f9.1-r1",
    ]


async def test_nothing_of_the_runs_own_history_reaches_the_user(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    secret = await agent.snapshot({"secret.txt": "hunter2\n"})
    (agent.tree / "secret.txt").unlink()
    await land(repo, hub, landing(await agent.propose(await agent.snapshot(FIX))))
    assert "missing" in run_git(
        user, "cat-file", "--batch-check", stdin=f"{secret.commit}\n".encode()
    )


async def test_landing_again_gives_the_same_commit(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    change = landing(await agent.propose(await agent.snapshot(FIX)))
    first = await land(repo, hub, change)
    assert await land(repo, hub, change) == first
    commit(user, {"later.py": "x\n"})
    assert await land(repo, hub, change) == first


async def test_a_branch_that_is_checked_out_nowhere_just_moves(
    agent: AgentAtWork, repo: Repository, hub: Hub, away: Path
) -> None:
    landed = await land(repo, hub, landing(await agent.propose(await agent.snapshot(FIX))))
    assert run_git(away, "rev-parse", "main") == landed
    assert run_git(away, "status", "--porcelain") == ""


async def test_a_branch_checked_out_in_another_worktree_moves_there(
    agent: AgentAtWork, repo: Repository, hub: Hub, away: Path, tmp_path: Path
) -> None:
    run_git(away, "worktree", "add", "--quiet", str(tmp_path / "main"), "main")
    await land(repo, hub, landing(await agent.propose(await agent.snapshot(FIX))))
    assert "a + b" in (tmp_path / "main/src/app.py").read_text()
    assert run_git(tmp_path / "main", "status", "--porcelain") == ""


@pytest.mark.parametrize("where", ["checked out", "elsewhere"])
async def test_a_target_that_moved_since_the_approval_is_refused(
    where: str, agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    change = landing(await agent.propose(await agent.snapshot(FIX)))
    moved = commit(user, {"theirs.py": "x\n"})
    if where == "elsewhere":
        run_git(user, "switch", "--quiet", "--create", "other")
    with pytest.raises(TargetMoved, match="'main' moved from"):
        await land(repo, hub, change)
    assert run_git(user, "rev-parse", "main") == moved


async def test_a_target_that_moves_at_the_last_moment_is_refused(
    agent: AgentAtWork, repo: Repository, hub: Hub, away: Path
) -> None:
    change = landing(await agent.propose(await agent.snapshot(FIX)))
    made = await compose(hub, change)
    await carry(hub, repo, made, known=[change.tip])
    run_git(away, "switch", "--quiet", "main")
    moved = commit(away, {"theirs.py": "x\n"})
    run_git(away, "switch", "--quiet", "other")
    with pytest.raises(TargetMoved):
        await advance(repo, change, made)
    assert run_git(away, "rev-parse", "main") == moved


async def test_of_two_changes_approved_on_one_tip_the_first_lands_and_the_second_is_refused(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    first = landing(await agent.propose(await agent.snapshot(FIX)))
    second = landing(await agent.propose(await agent.snapshot({"new.py": "x\n"})))
    outcomes = await asyncio.gather(
        land(repo, hub, first), land(repo, hub, second), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["TargetMoved", "str"]
    assert run_git(user, "status", "--porcelain") == ""


async def test_a_checkout_that_moves_at_the_last_moment_is_told_as_moved(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    change = landing(await agent.propose(await agent.snapshot(FIX)))
    made = await compose(hub, change)
    await carry(hub, repo, made, known=[change.tip])
    moved = commit(user, {"theirs.py": "x\n"})
    with pytest.raises(TargetMoved):
        await advance(repo, change, made)
    assert run_git(user, "rev-parse", "main") == moved


@pytest.mark.parametrize(
    "work",
    [
        {"src/app.py": "my own edit\n"},
        {"new.py": "mine, untracked\n"},
        {"build/out": "mine, ignored\n"},
    ],
)
async def test_uncommitted_work_in_the_way_is_refused_and_untouched(
    work: dict[str, str], agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    (agent.tree / ".gitignore").unlink()
    change = {**FIX, "new.py": "agent's\n", "build/out": "agent's\n"}
    proposal = await agent.propose(await agent.snapshot(change))
    put(user, work)
    before = run_git(user, "status", "--porcelain", "--ignored")
    with pytest.raises(TargetDirty) as caught:
        await land(repo, hub, landing(proposal))
    assert caught.value.message.endswith(f"in the way: {next(iter(work))}")
    assert "git stash" in caught.value.hint
    assert run_git(user, "status", "--porcelain", "--ignored") == before
    assert run_git(user, "rev-parse", "main") == proposal.tip


async def test_staged_work_in_the_way_is_refused(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    proposal = await agent.propose(await agent.snapshot(FIX))
    put(user, {"src/app.py": "my own edit\n"})
    run_git(user, "add", "src/app.py")
    with pytest.raises(TargetDirty, match=r"src/app\.py"):
        await land(repo, hub, landing(proposal))


async def test_uncommitted_work_elsewhere_stays_and_the_change_lands(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    proposal = await agent.propose(await agent.snapshot(FIX))
    put(user, {"README.md": "my own edit\n", "notes.txt": "mine\n"})
    await land(repo, hub, landing(proposal))
    assert (user / "README.md").read_text() == "my own edit\n"
    assert "a + b" in (user / "src/app.py").read_text()


async def test_a_merge_in_progress_is_refused(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    proposal = await agent.propose(await agent.snapshot(FIX))
    run_git(user, "branch", "side")
    put(user, {".git/MERGE_HEAD": agent.base + "\n"})
    with pytest.raises(TargetDirty, match="have not concluded your merge"):
        await land(repo, hub, landing(proposal))


async def test_a_target_being_rebased_is_refused(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    proposal = await agent.propose(await agent.snapshot(FIX))
    run_git(user, "switch", "--quiet", "--detach")
    put(user, {".git/rebase-merge/head-name": "refs/heads/main\n"})
    with pytest.raises(TargetDirty, match="is being rebased"):
        await land(repo, hub, landing(proposal))


async def test_a_landing_that_died_before_its_last_stroke_is_finished(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    change = landing(await agent.propose(await agent.snapshot({**FIX, "new.py": "x\n"})))
    made = await compose(hub, change)
    await carry(hub, repo, made, known=[change.tip])
    run_git(user, "read-tree", "-m", "-u", change.tip, made)
    assert await land(repo, hub, change) == made
    assert run_git(user, "rev-parse", "main") == made
    assert run_git(user, "status", "--porcelain") == ""


async def test_no_hook_of_the_users_runs(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    mark = set_tripwires(user)
    await land(repo, hub, landing(await agent.propose(await agent.snapshot(FIX))))
    assert not mark.exists()
    run_git(user, "commit", "--quiet", "--allow-empty", "-m", "the wires work")
    assert mark.exists()


async def test_control_characters_of_a_message_do_not_land(
    agent: AgentAtWork, repo: Repository, hub: Hub, user: Path
) -> None:
    words = msgspec.structs.replace(WORDS, message="Fix\x1b]0;x\x07 it\u202e\0\n\nbody")
    proposal = await agent.propose(await agent.snapshot(FIX))
    await land(repo, hub, landing(proposal, words=words))
    assert run_git(user, "log", "-1", "--format=%B").startswith("Fix]0;x it\n\nbody\n\nSwarm-Run:")


async def test_a_shallow_clone_merges_a_moved_target(user: Path, tmp_path: Path) -> None:
    base = commit(user, {"x": "x"})
    run_git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{user}", "copy")
    run_git(tmp_path / "copy", "config", "user.name", "Ada")
    run_git(tmp_path / "copy", "config", "user.email", "ada@example.org")
    repo = await open_repository(tmp_path / "copy")
    hub = await ensure_hub(repo, tmp_path / "hubs")
    agent = AgentAtWork(repo, hub, HostSandbox(tmp_path / "box"), base)
    await agent.prepare()
    snapshot = await agent.snapshot(FIX)
    commit(tmp_path / "copy", {"theirs.py": "x\n"})
    proposal = await propose(repo, hub, target="main", base=base, snapshot=snapshot.commit)
    await land(repo, hub, landing(proposal))
    assert "a + b" in (tmp_path / "copy/src/app.py").read_text()
