import asyncio
from pathlib import Path

import msgspec
import pytest

from app.domain.errors import RepoError
from app.domain.ids import RunId
from app.repo.hub import Hub
from app.repo.publish import publish
from app.repo.repository import Repository, open_repository
from app.repo.transfer import carry
from app.repo.worktrees import Worktree, ensure_worktree
from tests.support.repos import AgentAtWork, commit, put, run_git, set_tripwires

FIX = {"src/app.py": "def add(a, b):\n    return a + b\n"}


@pytest.fixture
async def shown(agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree) -> Path:
    """The run's worktree, made."""
    await ensure_worktree(repo, hub, worktree, agent.base)
    return Path(worktree.path)


async def test_the_worktree_is_a_real_one_on_the_runs_branch(
    shown: Path, worktree: Worktree, user: Path
) -> None:
    assert run_git(shown, "symbolic-ref", "--short", "HEAD") == worktree.branch
    assert str(shown) in run_git(user, "worktree", "list")
    assert run_git(shown, "status", "--porcelain") == ""


async def test_the_users_own_checkout_is_left_alone(shown: Path, user: Path) -> None:
    assert run_git(user, "symbolic-ref", "--short", "HEAD") == "main"
    assert run_git(user, "status", "--porcelain", "--ignored") == ""


async def test_making_it_again_touches_nothing(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    put(shown, {"README.md": "a person's\n"})
    await ensure_worktree(repo, hub, worktree, agent.base)
    assert (shown / "README.md").read_text() == "a person's\n"


async def test_many_are_made_at_once(
    agent: AgentAtWork, repo: Repository, hub: Hub, tmp_path: Path
) -> None:
    wanted = [
        Worktree(run=RunId(f"k3f9.{n}"), branch=f"swarm/x-{n}", path=str(tmp_path / f"w{n}"))
        for n in range(1, 6)
    ]
    await asyncio.gather(*(ensure_worktree(repo, hub, one, agent.base) for one in wanted))
    assert all((Path(one.path) / "README.md").exists() for one in wanted)


async def test_a_path_that_is_somebody_elses_is_refused(
    agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    put(Path(worktree.path), {"thesis.txt": "mine"})
    with pytest.raises(RepoError, match="exists already and is not this run's") as caught:
        await ensure_worktree(repo, hub, worktree, agent.base)
    assert "Move it away" in caught.value.hint
    assert [file.name for file in Path(worktree.path).iterdir()] == ["thesis.txt"]


async def test_a_branch_that_is_somebody_elses_is_refused(
    agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree, user: Path
) -> None:
    run_git(user, "branch", worktree.branch)
    with pytest.raises(RepoError, match="swarm did not make it"):
        await ensure_worktree(repo, hub, worktree, agent.base)
    assert not Path(worktree.path).exists()


async def test_a_worktree_somebody_deleted_is_made_again(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    shown.rename(shown.with_name("moved-away"))
    await ensure_worktree(repo, hub, worktree, agent.base)
    assert (shown / "README.md").exists()


async def test_a_worktree_left_half_made_is_made_whole(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    (repo.git_dir / "worktrees" / shown.name / "locked").write_text("initializing\n")
    (shown / "README.md").unlink()
    await ensure_worktree(repo, hub, worktree, agent.base)
    assert run_git(shown, "status", "--porcelain") == ""


async def test_a_snapshot_moves_branch_and_worktree_forward(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree, user: Path
) -> None:
    for text in ("one\n", "two\n"):
        snapshot = await agent.snapshot({"new.py": text})
        now = await publish(repo, hub, worktree, snapshot)
        assert (now.state, now.commit) == ("current", snapshot.commit)
        assert (shown / "new.py").read_text() == text
    assert run_git(shown, "status", "--porcelain") == ""
    assert run_git(user, "rev-list", "--count", f"main..{worktree.branch}") == "2"


async def test_publishing_again_changes_nothing(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    snapshot = await agent.snapshot(FIX)
    first = await publish(repo, hub, worktree, snapshot)
    assert await publish(repo, hub, worktree, snapshot) == first


async def test_an_untouched_tree_is_current(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    assert (await publish(repo, hub, worktree, await agent.snapshot())).state == "current"


async def test_a_blocked_snapshot_is_not_shown_as_files(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    (agent.tree / "out").symlink_to("/etc/passwd")
    now = await publish(repo, hub, worktree, await agent.snapshot(FIX))
    assert (now.state, now.commit) == ("blocked", agent.base)
    assert "a - b" in (shown / "src/app.py").read_text()


@pytest.mark.parametrize("path", ["README.md", "src/app.py"])
async def test_a_persons_edit_is_not_overwritten(
    path: str, shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    put(shown, {path: "a person's\n"})
    now = await publish(repo, hub, worktree, await agent.snapshot(FIX))
    assert now.state == "edited"
    assert path in now.detail
    assert (shown / path).read_text() == "a person's\n"
    assert run_git(shown, "rev-parse", "HEAD") == agent.base


async def test_a_persons_staged_edit_is_not_overwritten(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    put(shown, {"README.md": "a person's\n"})
    run_git(shown, "add", "README.md")
    now = await publish(repo, hub, worktree, await agent.snapshot(FIX))
    assert (now.state, now.detail.rpartition(" ")[2]) == ("edited", "README.md")


@pytest.mark.parametrize("name", ["new.py", "build/new.py"])
async def test_a_persons_new_file_is_not_overwritten(
    name: str, shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    put(shown, {name: "a person's\n"})
    (agent.tree / ".gitignore").unlink()
    now = await publish(repo, hub, worktree, await agent.snapshot({name: "agent's\n"}))
    assert now.state == "edited"
    assert (shown / name).read_text() == "a person's\n"


async def test_a_persons_new_file_that_is_in_nobodys_way_stops_nothing(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    put(shown, {"notes.txt": "a person's\n"})
    now = await publish(repo, hub, worktree, await agent.snapshot(FIX))
    assert now.state == "current"
    assert (shown / "notes.txt").exists()


async def test_once_the_edit_is_gone_the_worktree_catches_up(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    put(shown, {"README.md": "a person's\n"})
    snapshot = await agent.snapshot(FIX)
    await publish(repo, hub, worktree, snapshot)
    run_git(shown, "checkout", "--quiet", ".")
    assert (await publish(repo, hub, worktree, snapshot)).state == "current"


async def test_a_persons_commit_is_not_overwritten(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    mine = commit(shown, {"mine.py": "x\n"})
    now = await publish(repo, hub, worktree, await agent.snapshot(FIX))
    assert (now.state, now.commit) == ("diverged", mine)
    assert run_git(shown, "rev-parse", "HEAD") == mine


async def test_a_worktree_switched_to_another_branch_is_left_there(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    run_git(shown, "switch", "--quiet", "--create", "experiment")
    snapshot = await agent.snapshot(FIX)
    assert (await publish(repo, hub, worktree, snapshot)).state == "current"
    assert run_git(shown, "symbolic-ref", "--short", "HEAD") == "experiment"
    assert run_git(shown, "rev-parse", worktree.branch) == snapshot.commit


async def test_a_branch_checked_out_elsewhere_is_left_alone(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree, user: Path
) -> None:
    run_git(user, "worktree", "remove", str(shown))
    run_git(user, "switch", "--quiet", worktree.branch)
    now = await publish(repo, hub, worktree, await agent.snapshot(FIX))
    assert (now.state, now.commit) == ("elsewhere", agent.base)


async def test_a_deleted_branch_is_told_and_can_be_made_again(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree, user: Path
) -> None:
    run_git(user, "worktree", "remove", str(shown))
    run_git(user, "branch", "-D", "--quiet", worktree.branch)
    snapshot = await agent.snapshot(FIX)
    assert (await publish(repo, hub, worktree, snapshot)).state == "gone"
    await ensure_worktree(repo, hub, worktree, agent.base)
    assert (await publish(repo, hub, worktree, snapshot)).state == "current"


async def test_a_move_that_died_before_its_last_stroke_is_finished(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    snapshot = await agent.snapshot({**FIX, "new.py": "x\n"})
    await carry(hub, repo, snapshot.commit, known=[agent.base])
    run_git(shown, "read-tree", "-m", "-u", "HEAD", snapshot.commit)
    assert (await publish(repo, hub, worktree, snapshot)).state == "current"
    assert run_git(shown, "status", "--porcelain") == ""


async def test_no_hook_runs(
    agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree, user: Path
) -> None:
    mark = set_tripwires(user)
    await ensure_worktree(repo, hub, worktree, agent.base)
    await publish(repo, hub, worktree, await agent.snapshot(FIX))
    assert not mark.exists()


async def test_a_relative_hook_directory_runs_no_file_of_the_agents(
    agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree, user: Path, tmp_path: Path
) -> None:
    run_git(user, "config", "core.hooksPath", ".husky")
    await ensure_worktree(repo, hub, worktree, agent.base)
    put(agent.tree, {".husky/post-merge": f"#!/bin/sh\ntouch {tmp_path}/ran\n"})
    (agent.tree / ".husky/post-merge").chmod(0o755)
    await publish(repo, hub, worktree, await agent.snapshot())
    await publish(repo, hub, worktree, await agent.snapshot(FIX))
    assert not (tmp_path / "ran").exists()


async def test_a_relative_filter_runs_no_file_of_the_agents(
    agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree, user: Path, tmp_path: Path
) -> None:
    for name in ("clean", "smudge"):
        run_git(user, "config", f"filter.tidy.{name}", "sh ./tidy.sh")
    run_git(user, "config", "filter.tidy.required", "true")
    await ensure_worktree(repo, hub, worktree, agent.base)
    put(
        agent.tree, {"tidy.sh": f"touch {tmp_path}/ran; cat\n", ".gitattributes": "* filter=tidy\n"}
    )
    await publish(repo, hub, worktree, await agent.snapshot())
    now = await publish(repo, hub, worktree, await agent.snapshot(FIX))
    assert now.state == "current"
    assert not (tmp_path / "ran").exists()


async def test_links_are_laid_out_as_files_and_show_as_no_change(
    user: Path, hub: Hub, worktree: Worktree
) -> None:
    (user / "link").symlink_to("README.md")
    base = commit(user, {})
    await ensure_worktree(await open_repository(user), hub, worktree, base)
    link = Path(worktree.path) / "link"
    assert not link.is_symlink()
    assert link.read_text() == "README.md"
    assert run_git(Path(worktree.path), "status", "--porcelain") == ""


async def test_a_persons_edit_of_a_link_is_not_overwritten(
    user: Path, hub: Hub, worktree: Worktree, agent: AgentAtWork, repo: Repository
) -> None:
    (agent.tree / "link").symlink_to("README.md")
    await ensure_worktree(repo, hub, worktree, agent.base)
    assert (await publish(repo, hub, worktree, await agent.snapshot())).state == "current"
    (Path(worktree.path) / "link").write_text("src/app.py")
    now = await publish(repo, hub, worktree, await agent.snapshot(FIX))
    assert (now.state, now.detail.rpartition(" ")[2]) == ("edited", "link")


async def test_a_link_that_changes_is_laid_out_anew(
    user: Path, hub: Hub, worktree: Worktree, agent: AgentAtWork, repo: Repository
) -> None:
    await ensure_worktree(repo, hub, worktree, agent.base)
    for target in ("README.md", "src/app.py"):
        (agent.tree / "link").unlink(missing_ok=True)
        (agent.tree / "link").symlink_to(target)
        assert (await publish(repo, hub, worktree, await agent.snapshot())).state == "current"
        assert (Path(worktree.path) / "link").read_text() == target


async def test_every_run_has_a_worktree_of_its_own(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree, tmp_path: Path
) -> None:
    other = msgspec.structs.replace(
        worktree, run=RunId("k3f9.2"), branch="swarm/other", path=str(tmp_path / "second")
    )
    await ensure_worktree(repo, hub, other, agent.base)
    await publish(repo, hub, worktree, await agent.snapshot(FIX))
    assert "a - b" in (tmp_path / "second/src/app.py").read_text()
