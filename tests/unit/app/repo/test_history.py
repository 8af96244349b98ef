"""What an agent can read of the user's history: a copy of what is behind its base, or everything."""

from pathlib import Path

import pytest

from app.repo import history
from app.repo.git import Git
from app.repo.history import choose, forget, seen
from app.repo.hub import Hub
from app.repo.repository import Repository, keep, resolve, unkeep
from tests.support.repos import RUN, AgentAtWork, commit, put, run_git


@pytest.fixture
async def base(repo: Repository) -> str:
    return await resolve(repo, "main")


def objects(directory: Path) -> set[str]:
    """Ids of all objects in that directory."""
    packs = (directory / "pack").glob("*.idx")
    listed = [run_git(directory, "show-index", stdin=pack.read_bytes()) for pack in packs]
    return {line.split()[1] for text in listed for line in text.splitlines()}


def behind(user: Path, commit: str) -> set[str]:
    return {line[:40] for line in run_git(user, "rev-list", "--objects", commit).splitlines()}


async def test_a_mirror_holds_the_history_of_its_commit_and_nothing_else(
    repo: Repository, hub: Hub, user: Path, base: str
) -> None:
    run_git(user, "checkout", "--quiet", "-b", "other")
    commit(user, {"other": "x"})
    assert objects(await history.ensure_mirror(repo, hub, base)) == behind(user, base)


async def test_the_next_mirror_of_the_line_shares_the_packs_of_the_last(
    repo: Repository, hub: Hub, user: Path, base: str
) -> None:
    first = await history.ensure_mirror(repo, hub, base)
    second = await history.ensure_mirror(repo, hub, commit(user, {"next": "x"}))
    (shared,) = (first / "pack").glob("*.pack")
    assert (second / "pack" / shared.name).samefile(shared)
    assert objects(second) == behind(user, "main")
    assert objects(first) == behind(user, base)


async def test_a_mirror_of_a_rewritten_branch_does_not_hold_what_was_amended_away(
    repo: Repository, hub: Hub, user: Path
) -> None:
    leaked = commit(user, {"key": "hunter2"})
    await history.ensure_mirror(repo, hub, leaked)
    (user / "key").unlink()
    put(user, {"note": "no key"})
    run_git(user, "add", "--all")
    run_git(user, "commit", "--quiet", "--amend", "--message", "without the key")
    mirror = await history.ensure_mirror(repo, hub, await resolve(repo, "main"))
    assert run_git(user, "rev-parse", f"{leaked}:key") not in objects(mirror)


async def test_a_mirror_left_half_made_is_made_again(
    repo: Repository, hub: Hub, user: Path, base: str
) -> None:
    mirror = await history.ensure_mirror(repo, hub, base)
    (mirror / "done").unlink()
    for file in (mirror / "pack").iterdir():
        file.unlink()
    assert objects(await history.ensure_mirror(repo, hub, base)) == behind(user, base)


async def test_a_long_line_of_mirrors_has_few_packs(
    repo: Repository, hub: Hub, user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_MOST_PACKS", 2)
    for number in range(3):
        tip = commit(user, {"next": f"{number}"})
        mirror = await history.ensure_mirror(repo, hub, tip)
    assert len(list((mirror / "pack").glob("*.pack"))) <= 2
    assert objects(mirror) == behind(user, tip)


async def test_a_mirror_needs_nothing_of_the_user(
    repo: Repository, hub: Hub, user: Path, base: str
) -> None:
    mirror = await history.ensure_mirror(repo, hub, base)
    run_git(user, "init", "--quiet", "--bare", "--template=", "../alone.git")
    env = {"GIT_OBJECT_DIRECTORY": str(mirror)}
    await Git(dir=user.parent / "alone.git", env=env).run("fsck", "--connectivity-only", base)


@pytest.mark.parametrize(
    ("wanted", "largest", "mirrored"),
    [("auto", 10**9, True), ("auto", 1, False), ("mirror", 1, True), ("shared", 10**9, False)],
)
async def test_what_is_seen_is_what_was_asked_for(
    wanted: history.Wanted,
    largest: int,
    mirrored: bool,
    repo: Repository,
    hub: Hub,
    base: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "LARGEST", largest)
    assert await choose(repo, hub, RUN, base, wanted) == mirrored
    assert (hub.mirrors / base in seen(repo, hub, RUN, base)) == mirrored
    assert (seen(repo, hub, RUN, base) == repo.objects) == (not mirrored)


async def test_it_is_decided_once_in_a_runs_life(repo: Repository, hub: Hub, base: str) -> None:
    await choose(repo, hub, RUN, base, "shared")
    assert await choose(repo, hub, RUN, base, "mirror") is False
    await forget(repo, hub, RUN)
    assert await choose(repo, hub, RUN, base, "mirror") is True


async def test_a_restored_run_sees_its_own_snapshot(agent: AgentAtWork) -> None:
    snapshot = await agent.snapshot({"mine": "x"})
    await choose(agent.repo, agent.hub, RUN, agent.base, "mirror")
    for _ in range(2):
        await history.add_own(agent.hub, RUN, snapshot.commit, agent.base)
    own = seen(agent.repo, agent.hub, RUN, agent.base)[1]
    assert snapshot.commit in objects(own)


async def test_mirrors_that_no_run_needs_are_removed_but_for_the_newest(
    repo: Repository, hub: Hub, user: Path, base: str
) -> None:
    bases = {RUN: base}
    for number in (2, 3):
        bases[type(RUN)(f"k3f9.{number}")] = commit(user, {"next": f"{number}"})
    for run, at in bases.items():
        await keep(repo, run, at)
        await choose(repo, hub, run, at, "mirror")
    for run in (RUN, type(RUN)("k3f9.3")):
        await unkeep(repo, run)
        await forget(repo, hub, run)
    left = {mirror.name for mirror in hub.mirrors.iterdir()}
    assert left == {bases[type(RUN)("k3f9.2")], bases[type(RUN)("k3f9.3")]}
