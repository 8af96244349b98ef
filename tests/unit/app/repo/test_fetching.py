"""A base is fetched when asked, with nothing of the user's moved; what an agent cannot have is told."""

from pathlib import Path

import pytest

from app.domain.errors import RepoError, UsageError
from app.repo.fetching import fetched
from app.repo.oddities import oddities
from app.repo.repository import Repository, behind, open_repository, resolve
from tests.support.repos import commit, make_repository, run_git, set_tripwires


@pytest.fixture
async def cloned(user: Path, tmp_path: Path) -> Repository:
    """A clone whose origin has moved on since."""
    run_git(tmp_path, "clone", "--quiet", str(user), "clone")
    commit(user, {"news.txt": "news\n"}, "news")
    return await open_repository(tmp_path / "clone")


@pytest.mark.parametrize("base", ["main", "origin/main"])
async def test_the_remote_branch_is_brought_up_to_date_and_nothing_else(
    cloned: Repository, user: Path, base: str
) -> None:
    mark = set_tripwires(cloned.root)
    before = run_git(cloned.root, "rev-parse", "main")
    assert await fetched(cloned, base) == "origin/main"
    assert not mark.exists()
    assert await resolve(cloned, "origin/main") == run_git(user, "rev-parse", "main")
    assert run_git(cloned.root, "rev-parse", "main") == before
    assert run_git(cloned.root, "status", "--porcelain") == ""


async def test_a_remote_branch_that_was_pushed_by_force_is_followed(
    cloned: Repository, user: Path
) -> None:
    await fetched(cloned, "main")
    run_git(user, "reset", "--quiet", "--hard", "HEAD^")
    forced = commit(user, {"other.txt": "other\n"}, "another history")
    await fetched(cloned, "main")
    assert await resolve(cloned, "origin/main") == forced


async def test_what_follows_no_remote_says_how_to(repo: Repository) -> None:
    with pytest.raises(UsageError, match="'main' follows no branch of a remote") as caught:
        await fetched(repo, "main")
    assert "--set-upstream-to" in caught.value.hint


async def test_a_remote_that_is_gone_is_named_with_gits_own_words(
    cloned: Repository, user: Path
) -> None:
    user.rename(user.with_name("elsewhere"))
    with pytest.raises(RepoError, match="Could not read from remote repository") as caught:
        await fetched(cloned, "main")
    assert "leave --fetch out" in caught.value.hint


async def test_how_far_behind_is_counted_in_commits(repo: Repository, user: Path) -> None:
    base = run_git(user, "rev-parse", "main")
    commit(user, {"one": "1"})
    commit(user, {"two": "2"})
    assert await behind(repo, base, "main") == 2
    assert await behind(repo, base, "gone") == 0


async def test_what_an_agent_cannot_have_is_told(tmp_path: Path) -> None:
    part = make_repository(tmp_path / "part")
    whole = make_repository(tmp_path / "whole", {".gitattributes": "*.bin filter=lfs\n"})
    allow = ("-c", "protocol.file.allow=always")
    run_git(whole, *allow, "submodule", "--quiet", "add", str(part), "vendor/part")
    run_git(whole, "commit", "--quiet", "--message", "a submodule")
    run_git(whole, "config", "core.sparseCheckout", "true")
    repo = await open_repository(whole)
    assert await oddities(repo, await resolve(repo, "main")) == (
        "submodules are empty for the agent: vendor/part",
        "files in Git LFS are only their pointers for the agent",
        "your checkout is sparse; the agent gets all files",
    )


async def test_an_ordinary_repository_has_no_oddities(repo: Repository) -> None:
    assert await oddities(repo, await resolve(repo, "main")) == ()
