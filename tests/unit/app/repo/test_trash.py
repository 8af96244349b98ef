import asyncio
import os
import time
from pathlib import Path

import pytest

from app.domain.errors import NotFound, RepoError
from app.repo.hub import Hub
from app.repo.publish import publish
from app.repo.repository import Repository, open_repository, tip_of
from app.repo.transfer import carry
from app.repo.trash import (
    forget,
    forget_landed,
    remove_worktree,
    restore,
    trash,
    trashed,
)
from app.repo.worktrees import Worktree, ensure_worktree
from tests.support.repos import RUN, AgentAtWork, commit, make_repository, put, run_git

FIX = {"src/app.py": "def add(a, b):\n    return a + b\n"}


@pytest.fixture
async def shown(agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree) -> Path:
    """The run's worktree with a snapshot in it."""
    await ensure_worktree(repo, hub, worktree, agent.base)
    await publish(repo, hub, worktree, await agent.snapshot(FIX))
    return Path(worktree.path)


async def test_removal_takes_worktree_and_branch_and_keeps_both_in_the_trash(
    shown: Path, repo: Repository, hub: Hub, worktree: Worktree, user: Path
) -> None:
    tip = await tip_of(repo, worktree.branch)
    saved = await remove_worktree(repo, hub, worktree)
    assert not shown.exists()
    assert await tip_of(repo, worktree.branch) is None
    assert run_git(user, "rev-parse", f"{saved}^") == tip
    assert await trash(repo) == (RUN,)
    assert len(run_git(user, "worktree", "list").splitlines()) == 1


async def test_uncommitted_and_new_files_are_saved(
    shown: Path, repo: Repository, hub: Hub, worktree: Worktree, user: Path
) -> None:
    put(shown, {"README.md": "a person's\n", "notes.txt": "mine\n"})
    saved = await remove_worktree(repo, hub, worktree)
    assert run_git(user, "show", f"{saved}:README.md") == "a person's"
    assert run_git(user, "show", f"{saved}:notes.txt") == "mine"


async def test_an_edit_of_the_same_length_in_the_same_second_is_saved(
    agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree, user: Path
) -> None:
    await asyncio.sleep(1 - time.time() % 1)
    await ensure_worktree(repo, hub, worktree, agent.base)
    put(Path(worktree.path), FIX)
    await asyncio.sleep(1.1)  # the saved index must not look younger than the edit
    saved = await remove_worktree(repo, hub, worktree)
    assert "a + b" in run_git(user, "show", f"{saved}:src/app.py")


async def test_restoring_brings_everything_back_as_it_was(
    shown: Path, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    mine = commit(shown, {"mine.py": "committed\n"})
    put(shown, {"README.md": "a person's\n", "notes.txt": "mine\n"})
    (shown / "src/util.py").unlink()
    before = run_git(shown, "status", "--porcelain")
    await remove_worktree(repo, hub, worktree)
    await restore(repo, hub, worktree)
    assert run_git(shown, "status", "--porcelain") == before
    assert run_git(shown, "rev-parse", "HEAD", worktree.branch).splitlines() == [mine, mine]
    assert (shown / "notes.txt").read_text() == "mine\n"
    assert await trash(repo) == ()


async def test_a_restored_run_goes_on(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    await remove_worktree(repo, hub, worktree)
    await restore(repo, hub, worktree)
    now = await publish(repo, hub, worktree, await agent.snapshot({"new.py": "x\n"}))
    assert now.state == "current"


async def test_removing_again_keeps_what_was_saved(
    shown: Path, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    put(shown, {"notes.txt": "mine\n"})
    saved = await remove_worktree(repo, hub, worktree)
    assert await remove_worktree(repo, hub, worktree) == saved


async def test_restoring_again_changes_nothing(
    shown: Path, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    put(shown, {"notes.txt": "mine\n"})
    await remove_worktree(repo, hub, worktree)
    await restore(repo, hub, worktree)
    put(shown, {"notes.txt": "mine, later\n"})
    await restore(repo, hub, worktree)
    assert (shown / "notes.txt").read_text() == "mine, later\n"


async def test_a_restoration_that_died_before_its_last_stroke_is_finished(
    shown: Path, repo: Repository, hub: Hub, worktree: Worktree, user: Path
) -> None:
    put(shown, {"notes.txt": "mine\n", "README.md": "a person's\n"})
    saved = await remove_worktree(repo, hub, worktree)
    await restore(repo, hub, worktree)
    run_git(user, "update-ref", f"refs/swarm/trash/{RUN}", saved)
    await restore(repo, hub, worktree)
    assert await trashed(repo, RUN) == ""
    assert (shown / "README.md").read_text() == "a person's\n"


async def test_a_removal_that_died_in_the_middle_is_finished(
    shown: Path, repo: Repository, hub: Hub, worktree: Worktree, user: Path
) -> None:
    tip = await tip_of(repo, worktree.branch)
    put(shown, {"notes.txt": "mine\n"})
    run_git(user, "worktree", "lock", str(shown))
    with pytest.raises(RepoError, match="does not remove the worktree"):
        await remove_worktree(repo, hub, worktree)
    assert (shown / "notes.txt").read_text() == "mine\n"
    run_git(user, "worktree", "unlock", str(shown))
    await remove_worktree(repo, hub, worktree)
    assert not shown.exists()
    await restore(repo, hub, worktree)
    assert run_git(shown, "rev-parse", "HEAD") == tip
    assert run_git(shown, "status", "--porcelain") == "?? notes.txt"


async def test_an_edit_made_between_two_removals_is_saved_too(
    shown: Path, repo: Repository, hub: Hub, worktree: Worktree, user: Path
) -> None:
    run_git(user, "worktree", "lock", str(shown))
    with pytest.raises(RepoError):
        await remove_worktree(repo, hub, worktree)
    put(shown, {"late.txt": "mine\n"})
    run_git(user, "worktree", "unlock", str(shown))
    await remove_worktree(repo, hub, worktree)
    await restore(repo, hub, worktree)
    assert (shown / "late.txt").read_text() == "mine\n"


async def test_a_repository_a_person_keeps_in_there_is_not_removed(
    shown: Path, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    inner = make_repository(shown / "vendor/thing", {"precious.txt": "x"})
    with pytest.raises(RepoError, match="does not remove the worktree") as caught:
        await remove_worktree(repo, hub, worktree)
    assert "repositories of your own" in caught.value.hint
    assert (inner / "precious.txt").exists()


async def test_a_repository_with_submodules_loses_its_worktree_like_any_other(
    user: Path, hub: Hub, worktree: Worktree, tmp_path: Path
) -> None:
    part = make_repository(tmp_path / "part")
    run_git(
        user, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(part), "sub"
    )
    base = commit(user, {}, "with a submodule")
    repo = await open_repository(user)
    await ensure_worktree(repo, hub, worktree, base)
    saved = await remove_worktree(repo, hub, worktree)
    assert not Path(worktree.path).exists()
    assert "160000" in run_git(user, "ls-tree", saved, "sub")


async def test_a_worktree_somebody_deleted_leaves_its_branch_in_the_trash(
    shown: Path, repo: Repository, hub: Hub, worktree: Worktree, user: Path
) -> None:
    tip = await tip_of(repo, worktree.branch)
    shown.rename(shown.with_name("moved-away"))
    saved = await remove_worktree(repo, hub, worktree)
    assert run_git(user, "rev-parse", f"{saved}^") == tip
    assert await remove_worktree(repo, hub, worktree) == saved


async def test_the_branch_can_stay(
    shown: Path, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    tip = await tip_of(repo, worktree.branch)
    await remove_worktree(repo, hub, worktree, drop_branch=False)
    assert await tip_of(repo, worktree.branch) == tip


async def test_both_branches_survive_when_a_person_switched(
    shown: Path, repo: Repository, hub: Hub, worktree: Worktree, user: Path
) -> None:
    tip = await tip_of(repo, worktree.branch)
    run_git(shown, "switch", "--quiet", "--create", "experiment", "main")
    saved = await remove_worktree(repo, hub, worktree)
    assert tip in run_git(user, "rev-list", saved).splitlines()
    assert await tip_of(repo, "experiment") is not None


async def test_a_directory_that_is_no_worktree_is_never_removed(
    repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    put(Path(worktree.path), {"thesis.txt": "mine"})
    with pytest.raises(RepoError, match="is not a worktree of project"):
        await remove_worktree(repo, hub, worktree)
    assert (Path(worktree.path) / "thesis.txt").exists()


async def test_links_come_back_as_links_of_the_commit(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree, user: Path
) -> None:
    (agent.tree / "link").symlink_to("README.md")
    await publish(repo, hub, worktree, await agent.snapshot())
    put(shown, {"notes.txt": "mine\n"})
    saved = await remove_worktree(repo, hub, worktree)
    assert run_git(user, "ls-tree", saved, "link").startswith("120000")
    await restore(repo, hub, worktree)
    assert run_git(shown, "status", "--porcelain") == "?? notes.txt"


async def test_very_deep_directories_are_removed(
    shown: Path, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    here = os.open(shown, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    await remove_worktree(repo, hub, worktree)
    assert not shown.exists()


async def test_nothing_in_the_trash_cannot_be_restored(
    repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    with pytest.raises(NotFound, match="nothing in the trash"):
        await restore(repo, hub, worktree)


async def test_a_forgotten_run_leaves_no_ref_behind(
    shown: Path, repo: Repository, hub: Hub, worktree: Worktree, user: Path
) -> None:
    await remove_worktree(repo, hub, worktree)
    await forget(repo, RUN)
    await forget(repo, RUN)
    assert run_git(user, "for-each-ref", "refs/swarm") == ""


async def test_after_a_landing_nothing_is_kept_twice(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree
) -> None:
    await remove_worktree(repo, hub, worktree)
    landed = (await agent.snapshot({**FIX, "more.txt": "1\n"})).commit
    await carry(hub, repo, landed, known=[agent.base])
    assert await forget_landed(repo, RUN, landed)
    assert await trash(repo) == ()


async def test_what_a_person_once_left_there_outlives_the_landing_of_a_later_state(
    shown: Path, agent: AgentAtWork, repo: Repository, hub: Hub, worktree: Worktree, user: Path
) -> None:
    put(shown, {"notes.txt": "mine\n"})
    saved = await remove_worktree(repo, hub, worktree)
    # It was laid out again without them, and removed again.
    await ensure_worktree(repo, hub, worktree, agent.base)
    await remove_worktree(repo, hub, worktree)
    assert not await forget_landed(repo, RUN, run_git(user, "rev-parse", f"{saved}^"))
    assert saved in run_git(user, "rev-list", f"refs/swarm/trash/{RUN}")
