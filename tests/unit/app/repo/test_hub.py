import stat
from pathlib import Path

import msgspec

from app.repo.hub import ensure_hub
from app.repo.repository import Repository, open_repository, resolve
from tests.support.repos import commit, make_repository, run_git


async def test_a_hub_sees_the_users_objects_and_copies_none(
    repo: Repository, tmp_path: Path
) -> None:
    hub = await ensure_hub(repo, tmp_path / "hubs")
    head = await resolve(repo, "main")
    assert await hub.git().line("cat-file", "-t", head) == "commit"
    assert not [
        file for file in hub.objects.rglob("*") if file.is_file() and "info" not in str(file)
    ]


async def test_making_it_again_changes_nothing(repo: Repository, tmp_path: Path) -> None:
    def state() -> dict[str, int]:
        files = (file for file in (tmp_path / "hubs").rglob("*") if file.is_file())
        return {str(file): file.stat().st_mtime_ns for file in files}

    first = await ensure_hub(repo, tmp_path / "hubs")
    before = state()
    assert await ensure_hub(repo, tmp_path / "hubs") == first
    assert state() == before


async def test_only_the_owner_may_look_into_it(repo: Repository, tmp_path: Path) -> None:
    hub = await ensure_hub(repo, tmp_path / "hubs")
    for place in (tmp_path / "hubs", hub.root, hub.git_dir):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700


async def test_it_says_whose_it_is(repo: Repository, tmp_path: Path) -> None:
    hub = await ensure_hub(repo, tmp_path / "hubs")
    assert (hub.root / "repository").read_text() == f"{repo.git_dir}\n"


async def test_two_repositories_have_two_hubs(repo: Repository, tmp_path: Path) -> None:
    other = await open_repository(make_repository(tmp_path / "other"))
    assert await ensure_hub(repo, tmp_path) != await ensure_hub(other, tmp_path)


async def test_worktrees_of_one_repository_share_a_hub(
    repo: Repository, user: Path, tmp_path: Path
) -> None:
    run_git(user, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = await open_repository(tmp_path / "side")
    assert await ensure_hub(repo, tmp_path / "h") == await ensure_hub(side, tmp_path / "h")


async def test_it_takes_over_no_template_and_no_hook_of_the_users(
    repo: Repository, home: Path, tmp_path: Path
) -> None:
    (home / "template/hooks").mkdir(parents=True)
    (home / "template/hooks/post-checkout").write_text("#!/bin/sh\n")
    (home / ".gitconfig").write_text(f"[init]\n\ttemplateDir = {home}/template\n")
    hub = await ensure_hub(repo, tmp_path / "hubs")
    assert not (hub.git_dir / "hooks").exists()


async def test_its_attributes_outrank_those_of_any_tree(repo: Repository, tmp_path: Path) -> None:
    hostile = {".gitattributes": "* -diff merge=union filter=x text eol=crlf ident\n", "a.py": "x"}
    head = commit(repo.root, hostile)
    hub = await ensure_hub(repo, tmp_path / "hubs")
    git = msgspec.structs.replace(hub.git(), env={"GIT_INDEX_FILE": str(tmp_path / "index")})
    await git.run("read-tree", head)
    told = await git.line("check-attr", "--cached", "--all", "--", "a.py")
    assert told == ""


async def test_it_follows_a_shallow_clone_that_becomes_whole(user: Path, tmp_path: Path) -> None:
    commit(user, {"x": "x"})
    run_git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{user}", "copy")
    hub = await ensure_hub(await open_repository(tmp_path / "copy"), tmp_path / "hubs")
    assert (hub.git_dir / "shallow").exists()
    run_git(tmp_path / "copy", "fetch", "--quiet", "--unshallow")
    await ensure_hub(await open_repository(tmp_path / "copy"), tmp_path / "hubs")
    assert not (hub.git_dir / "shallow").exists()
