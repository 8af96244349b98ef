import shutil
from pathlib import Path

import msgspec
import pytest

from app.repo.hub import Hub
from app.repo.repository import Repository, open_repository
from app.repo.tree import (
    TREE_IN_USE,
    drop_exports,
    export,
    layout,
    mounts,
    prepare_script,
    targets,
)
from tests.support.repos import (
    BRANCH,
    RUN,
    AgentAtWork,
    HostSandbox,
    commit,
    put,
    run_git,
    set_tripwires,
)


async def test_the_tree_is_an_ordinary_repository_on_the_runs_branch(agent: AgentAtWork) -> None:
    assert run_git(agent.tree, "symbolic-ref", "--short", "HEAD") == BRANCH
    assert run_git(agent.tree, "status", "--porcelain") == ""
    assert run_git(agent.tree, "log", "--format=%s", "main") == "start"


async def test_it_copies_no_objects(agent: AgentAtWork) -> None:
    objects = agent.tree / ".git" / "objects"
    assert [file.name for file in objects.rglob("*") if file.is_file()] == ["alternates"]


async def test_it_holds_nothing_of_the_users_configuration_hooks_or_other_branches(
    user: Path, tmp_path: Path
) -> None:
    run_git(user, "remote", "add", "origin", "https://token@example.org/x.git")
    run_git(user, "branch", "secret-plans")
    set_tripwires(user)
    repo = await open_repository(user)
    box = HostSandbox(tmp_path / "box")
    head = run_git(user, "rev-parse", "HEAD")
    wanted = layout(
        repo,
        tree=str(box.tree),
        commit=head,
        branch=BRANCH,
        objects=targets(mounts(repo.objects, isolated=False)),
    )
    assert (await box.prepare(prepare_script(wanted))).code == 0
    told = "".join(
        path.read_text()
        for path in (box.tree / ".git").rglob("*")
        if path.name != "index" and path.is_file()
    )
    assert "token" not in told
    assert "secret-plans" not in told
    assert not (box.tree / ".git" / "hooks").exists()


async def test_the_agents_own_git_works_there(agent: AgentAtWork) -> None:
    commit(agent.tree, {"new.py": "x"}, "agent's")
    run_git(agent.tree, "gc", "--quiet")
    assert run_git(agent.tree, "log", "--format=%s") == "agent's\nstart"


async def test_laying_down_again_touches_nothing(agent: AgentAtWork) -> None:
    put(agent.tree, {"src/app.py": "half done"})
    done = await agent.sandbox.prepare(prepare_script(agent.layout))
    assert done.code == 0
    assert (agent.tree / "src/app.py").read_text() == "half done"


async def test_a_tree_somebody_uses_is_never_laid_over(agent: AgentAtWork) -> None:
    shutil.rmtree(agent.tree / ".git")
    done = await agent.sandbox.prepare(prepare_script(agent.layout))
    assert done.code == TREE_IN_USE
    assert (agent.tree / "src/app.py").exists()


async def test_a_tree_of_another_commit_is_never_laid_over(agent: AgentAtWork, user: Path) -> None:
    other = msgspec.structs.replace(agent.layout, commit=commit(user, {"x": "x"}))
    assert (await agent.sandbox.prepare(prepare_script(other))).code == TREE_IN_USE


async def test_a_tree_left_half_laid_down_is_finished(agent: AgentAtWork) -> None:
    (agent.tree / ".git/swarm-prepared").unlink()
    put(agent.tree, {".git/swarm-preparing": "", ".git/index.lock": "", "src/app.py": "cut of"})
    done = await agent.sandbox.prepare(prepare_script(agent.layout))
    assert done.code == 0, done.stderr
    assert run_git(agent.tree, "status", "--porcelain") == ""


async def test_the_users_clean_up_in_mid_run_takes_nothing_away(
    agent: AgentAtWork, user: Path
) -> None:
    run_git(user, "switch", "--quiet", "--orphan", "elsewhere")
    commit(user, {"other": "x"})
    run_git(user, "branch", "-D", "--quiet", "main")
    run_git(user, "reflog", "expire", "--expire=all", "--all")
    run_git(user, "gc", "--quiet", "--prune=now")
    assert run_git(agent.tree, "log", "--format=%s") == "start"
    snapshot = await agent.snapshot({"src/app.py": "fixed"})
    assert [file.path for file in snapshot.files] == ["src/app.py"]


async def test_a_repository_that_borrows_objects_itself_is_laid_down(
    user: Path, tmp_path: Path
) -> None:
    run_git(tmp_path, "clone", "--quiet", "--shared", str(user), "copy")
    await _lay_down(await open_repository(tmp_path / "copy"), tmp_path)


async def test_a_shallow_repository_is_laid_down(user: Path, tmp_path: Path) -> None:
    commit(user, {"x": "x"})
    run_git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{user}", "copy")
    box = await _lay_down(await open_repository(tmp_path / "copy"), tmp_path)
    assert len(run_git(box.tree, "log", "--format=%h").splitlines()) == 1


async def test_a_repository_of_another_format_is_laid_down(tmp_path: Path) -> None:
    place = tmp_path / "new"
    place.mkdir()
    run_git(place, "init", "--quiet", "--object-format=sha256", "--initial-branch=main")
    commit(place, {"x": "x"})
    await _lay_down(await open_repository(place), tmp_path)


async def _lay_down(repo: Repository, tmp_path: Path) -> HostSandbox:
    box = HostSandbox(tmp_path / "box")
    head = run_git(repo.root, "rev-parse", "HEAD")
    seen = targets(mounts(repo.objects, isolated=False))
    wanted = layout(repo, tree=str(box.tree), commit=head, branch=BRANCH, objects=seen)
    done = await box.prepare(prepare_script(wanted))
    assert done.code == 0, done.stderr
    assert run_git(box.tree, "status", "--porcelain") == ""
    return box


def test_mounted_directories_show_no_path_of_the_host(tmp_path: Path) -> None:
    seen = mounts([tmp_path / "a", tmp_path / "b"])
    assert targets(seen) == ("/swarm/objects-0", "/swarm/objects-1")


async def test_a_check_sees_the_snapshot_and_no_other_runs_work(
    agent: AgentAtWork, hub: Hub, repo: Repository, tmp_path: Path
) -> None:
    snapshot = await agent.snapshot({"src/app.py": "fixed"})
    box = HostSandbox(tmp_path / "check")
    shown = await export(hub, RUN, commit=snapshot.commit, base=agent.base)
    seen = targets(mounts([shown, *repo.objects], isolated=False))
    wanted = layout(repo, tree=str(box.tree), commit=snapshot.commit, branch="check", objects=seen)
    done = await box.prepare(prepare_script(wanted))
    assert done.code == 0, done.stderr
    assert (box.tree / "src/app.py").read_text() == "fixed"
    assert hub.objects not in [Path(place) for place in seen]


async def test_exporting_again_gives_the_same_place(agent: AgentAtWork, hub: Hub) -> None:
    snapshot = await agent.snapshot({"src/app.py": "fixed"})
    first = await export(hub, RUN, commit=snapshot.commit, base=agent.base)
    (first / "done").unlink()
    assert await export(hub, RUN, commit=snapshot.commit, base=agent.base) == first
    drop_exports(hub, RUN)
    drop_exports(hub, RUN)
    assert not first.exists()


@pytest.mark.parametrize("name", ["it's", "a b", "$(touch x)", "ü"])
async def test_odd_paths_survive_the_shell(name: str, user: Path, tmp_path: Path) -> None:
    place = tmp_path / name
    run_git(tmp_path, "clone", "--quiet", str(user), str(place / "repo"))
    (place / "sandbox").mkdir()
    await _lay_down(await open_repository(place / "repo"), place / "sandbox")
