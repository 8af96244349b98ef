from pathlib import Path

import pytest

from app.domain.errors import RepoError, UsageError
from app.domain.ids import RunId
from app.repo.repository import (
    Repository,
    current_branch,
    dirty_paths,
    identity,
    keep,
    open_repository,
    read_file,
    resolve,
    tip_of,
    unkeep,
)
from tests.support.repos import RUN, commit, make_repository, put, run_git


async def test_a_repository_is_found_from_any_directory_in_it(user: Path) -> None:
    assert (await open_repository(user / "src")).root == user.resolve()


async def test_its_name_is_that_of_its_directory(repo: Repository) -> None:
    assert repo.name == "project"


async def test_a_linked_worktree_shares_the_common_directory(user: Path, tmp_path: Path) -> None:
    run_git(user, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    repo = await open_repository(tmp_path / "side")
    assert (repo.git_dir, await current_branch(repo)) == ((user / ".git").resolve(), "side")


async def test_a_directory_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a directory"):
        await open_repository(tmp_path / "nowhere")


async def test_a_directory_outside_of_any_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not inside a git repository") as caught:
        await open_repository(tmp_path)
    assert "git init" in caught.value.hint


async def test_a_bare_repository_is_refused(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "--quiet", "--bare", "bare")
    with pytest.raises(UsageError, match="bare repository"):
        await open_repository(tmp_path / "bare")


async def test_a_git_directory_is_refused(user: Path) -> None:
    with pytest.raises(UsageError, match="inside a git directory"):
        await open_repository(user / ".git")


async def test_a_repository_without_commits_is_refused(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "--quiet", "empty")
    with pytest.raises(UsageError, match="no commits yet") as caught:
        await open_repository(tmp_path / "empty")
    assert "git commit" in caught.value.hint


async def test_a_partial_clone_is_refused_with_the_reason(user: Path, tmp_path: Path) -> None:
    run_git(user, "config", "uploadpack.allowFilter", "true")
    run_git(
        tmp_path, "clone", "--quiet", "--filter=blob:none", f"file://{user}", "part", check=True
    )
    with pytest.raises(RepoError, match=r"partial clone.*no network"):
        await open_repository(tmp_path / "part")


async def test_hooks_and_monitors_of_a_repository_do_not_run_when_it_is_opened(
    user: Path, tmp_path: Path
) -> None:
    run_git(user, "config", "core.fsmonitor", f"touch {tmp_path}/ran")
    repo = await open_repository(user)
    await dirty_paths(repo)
    assert not (tmp_path / "ran").exists()


async def test_the_branch_the_user_is_on_is_the_current_one(user: Path) -> None:
    run_git(user, "switch", "--quiet", "--create", "feature/x")
    assert await current_branch(await open_repository(user)) == "feature/x"


async def test_a_detached_head_is_no_branch(user: Path) -> None:
    run_git(user, "checkout", "--quiet", "--detach")
    with pytest.raises(UsageError, match="on no branch") as caught:
        await current_branch(await open_repository(user))
    assert "--base" in caught.value.hint


async def test_branches_tags_and_short_ids_resolve_to_a_commit(
    repo: Repository, user: Path
) -> None:
    run_git(user, "tag", "-a", "v1", "-m", "one")
    head = run_git(user, "rev-parse", "HEAD")
    assert {await resolve(repo, ref) for ref in ("main", "v1", "HEAD", head[:9])} == {head}


async def test_a_missing_base_is_refused_with_the_nearest_name(repo: Repository) -> None:
    with pytest.raises(UsageError, match="no branch, tag or commit 'mian'") as caught:
        await resolve(repo, "mian")
    assert caught.value.hint == "Did you mean 'main'?"


@pytest.mark.parametrize("ref", ["", "--all", "-x", "a..b", "main\0x", "$(x)", "main:README.md"])
async def test_what_names_no_commit_is_refused(repo: Repository, ref: str) -> None:
    with pytest.raises(UsageError):
        await resolve(repo, ref)


async def test_the_tip_of_a_branch_that_is_missing_is_none(repo: Repository) -> None:
    assert await tip_of(repo, "absent") is None


async def test_uncommitted_paths_are_listed(repo: Repository, user: Path) -> None:
    put(user, {"README.md": "changed", "new name.txt": "x", "build/out": "ignored"})
    assert set(await dirty_paths(repo)) == {"README.md", "new name.txt"}


async def test_a_file_is_read_as_it_is_at_a_commit(repo: Repository, user: Path) -> None:
    head = run_git(user, "rev-parse", "HEAD")
    put(user, {"README.md": "edited since"})
    assert await read_file(repo, head, "README.md", 1000) == b"# Project\n"


@pytest.mark.parametrize("path", ["absent", "src", "src/absent", "*.md"])
async def test_what_is_no_file_of_the_commit_reads_as_none(repo: Repository, path: str) -> None:
    head = await resolve(repo, "main")
    assert await read_file(repo, head, path, 1000) is None


async def test_a_file_over_the_limit_is_refused(repo: Repository) -> None:
    with pytest.raises(UsageError, match="more than the 5"):
        await read_file(repo, await resolve(repo, "main"), "README.md", 5)


async def test_a_link_to_another_file_of_the_commit_is_followed(user: Path) -> None:
    (user / "CLAUDE.md").symlink_to("docs/AGENTS.md")
    head = commit(user, {"docs/AGENTS.md": "be kind"})
    assert await read_file(await open_repository(user), head, "CLAUDE.md", 1000) == b"be kind"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc/passwd", "CLAUDE.md"])
async def test_a_link_out_of_the_commit_reads_as_none(user: Path, target: str) -> None:
    (user / "CLAUDE.md").symlink_to(target)
    head = commit(user, {})
    assert await read_file(await open_repository(user), head, "CLAUDE.md", 1000) is None


async def test_the_identity_is_the_one_git_commits_under(repo: Repository) -> None:
    assert await identity(repo) == ("Ada", "ada@example.org")


async def test_an_unknown_identity_is_refused_with_the_commands(
    repo: Repository, user: Path
) -> None:
    run_git(user, "config", "--unset", "user.email")
    with pytest.raises(RepoError, match="does not know who you are") as caught:
        await identity(repo)
    assert "user.name" in caught.value.hint


async def test_a_kept_commit_survives_the_users_clean_up(repo: Repository, user: Path) -> None:
    run_git(user, "switch", "--quiet", "--create", "short-lived")
    lost = commit(user, {"x": "x"})
    await keep(repo, RUN, lost)
    await keep(repo, RUN, lost)
    _abandon(user)
    assert await resolve(repo, lost) == lost


async def test_a_commit_let_go_of_is_the_users_to_clean_up(repo: Repository, user: Path) -> None:
    run_git(user, "switch", "--quiet", "--create", "short-lived")
    lost = commit(user, {"x": "x"})
    await keep(repo, RUN, lost)
    await unkeep(repo, RUN)
    await unkeep(repo, RUN)
    _abandon(user)
    with pytest.raises(UsageError):
        await resolve(repo, lost)


def _abandon(user: Path) -> None:
    run_git(user, "switch", "--quiet", "main")
    run_git(user, "branch", "-D", "--quiet", "short-lived")
    run_git(user, "reflog", "expire", "--expire=all", "--all")
    run_git(user, "gc", "--quiet", "--prune=now")


@pytest.mark.parametrize("run", ["", "../x", "a..b", "x.lock", "A b", "-x"])
async def test_what_is_no_run_id_never_becomes_a_ref(repo: Repository, run: str) -> None:
    with pytest.raises(RepoError, match="not the id of a run"):
        await keep(repo, RunId(run), await resolve(repo, "main"))


async def test_object_directories_are_followed_along_the_users_own_alternates(
    user: Path, tmp_path: Path
) -> None:
    run_git(tmp_path, "clone", "--quiet", "--shared", str(user), "copy")
    repo = await open_repository(tmp_path / "copy")
    assert repo.objects == (tmp_path / "copy/.git/objects", user / ".git/objects")


async def test_the_ends_of_a_shallow_history_are_known(user: Path, tmp_path: Path) -> None:
    head = commit(user, {"x": "x"})
    run_git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{user}", "shallow")
    assert (await open_repository(tmp_path / "shallow")).shallow == (head,)


async def test_a_repository_of_another_format_is_opened(tmp_path: Path) -> None:
    place = tmp_path / "new"
    place.mkdir()
    run_git(place, "init", "--quiet", "--object-format=sha256", "--initial-branch=main")
    head = commit(place, {"x": "x"})
    repo = await open_repository(place)
    assert (repo.object_format, await resolve(repo, "main")) == ("sha256", head)


async def test_two_repositories_of_one_name_are_two(user: Path, tmp_path: Path) -> None:
    other = make_repository(tmp_path / "other" / "project")
    first, second = await open_repository(user), await open_repository(other)
    assert first.git_dir != second.git_dir
