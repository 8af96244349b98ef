"""What an agent does to its own tree and `.git` reaches neither the host's git nor the hub.

Each attack is made, a snapshot is taken, shown in the worktree and looked at with the user's own git; a
mark that any payload would leave must not be there.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.review import Finding
from app.repo.errors import SnapshotRefused
from app.repo.hub import Hub
from app.repo.ingest import Snapshot
from app.repo.publish import publish
from app.repo.repository import Repository
from app.repo.worktrees import Worktree, ensure_worktree
from tests.support.repos import AgentAtWork, make_repository, put, run_git

FIX = {"src/app.py": "def add(a, b):\n    return a + b\n"}


class Stage:
    """An attacker's tree, and a victim who looks at what comes out of it."""

    def __init__(self, agent: AgentAtWork, worktree: Worktree, user: Path, mark: Path) -> None:
        self.agent, self.worktree, self.user, self.mark = agent, worktree, user, mark
        self.tree, self.git = agent.tree, agent.tree / ".git"
        self.payload = f"touch {mark}"

    async def look(self) -> Snapshot:
        repo, hub = self.agent.repo, self.agent.hub
        await ensure_worktree(repo, hub, self.worktree, self.agent.base)
        snapshot = await self.agent.snapshot(FIX)
        await publish(repo, hub, self.worktree, snapshot)
        for place in (self.user, Path(self.worktree.path)):
            for command in ("status", "diff", "log -p --all", "branch -a", "stash list", "fsck"):
                run_git(place, *command.split(), check=False)
        assert not self.mark.exists()
        return snapshot


@pytest.fixture
def stage(agent: AgentAtWork, worktree: Worktree, user: Path, tmp_path: Path) -> Stage:
    return Stage(agent, worktree, user, tmp_path / "payload-ran")


def found(snapshot: Snapshot) -> set[tuple[str, str]]:
    def brief(finding: Finding) -> tuple[str, str]:
        return finding.severity, finding.rule.removeprefix("paths/")

    return {brief(finding) for finding in snapshot.findings}


def plant_hooks(stage: Stage) -> None:
    for name in ("post-checkout", "pre-commit", "post-index-change", "reference-transaction"):
        put(stage.git / "hooks", {name: f"#!/bin/sh\n{stage.payload}\n"})
        (stage.git / "hooks" / name).chmod(0o755)


def bomb_config(stage: Stage) -> None:
    for key in (
        *("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "diff.external"),
        *("filter.x.clean", "filter.x.smudge", "diff.x.textconv", "merge.x.driver"),
    ):
        run_git(stage.tree, "config", key, stage.payload)
    run_git(stage.tree, "config", "core.hooksPath", str(stage.tree))
    put(stage.git, {"info/attributes": "* filter=x diff=x merge=x\n"})


def include_a_pipe(stage: Stage) -> None:
    os.mkfifo(stage.tree / ".git/pipe")
    run_git(stage.tree, "config", "include.path", str(stage.git / "pipe"))


def make_head_a_pipe(stage: Stage) -> None:
    (stage.git / "HEAD").unlink()
    os.mkfifo(stage.git / "HEAD")


def redirect_the_repository(stage: Stage) -> None:
    evil = make_repository(stage.tree.parent / "evil")
    run_git(evil, "config", "core.fsmonitor", stage.payload)
    stage.git.rename(stage.tree.parent / "old.git")
    put(stage.tree, {".git": f"gitdir: {evil}/.git\n"})


def borrow_a_strangers_objects(stage: Stage) -> None:
    stranger = make_repository(stage.tree.parent / "stranger", {"secret": "hunter2"})
    put(stage.git, {"objects/info/alternates": f"{stranger}/.git/objects\n"})


def spoil_the_index(stage: Stage) -> None:
    put(stage.git, {"index": b"garbage", "index.lock": b""})


def hide_the_change(stage: Stage) -> None:
    run_git(stage.tree, "update-index", "--assume-unchanged", "src/app.py")
    run_git(stage.tree, "update-index", "--skip-worktree", "src/util.py")
    put(stage.git, {"info/exclude": "*\n", "info/sparse-checkout": "/nothing\n"})


def replace_the_objects(stage: Stage) -> None:
    put(stage.tree, FIX)
    evil = run_git(stage.tree, "hash-object", "-w", "src/app.py")
    run_git(stage.tree, "replace", run_git(stage.tree, "rev-parse", "HEAD:src/app.py"), evil)


def many_refs(stage: Stage) -> None:
    line = f"{stage.agent.base} refs/heads/b"
    put(stage.git, {"packed-refs": "".join(f"{line}{n:06}\n" for n in range(100_000))})


@pytest.mark.parametrize(
    "attack",
    [
        plant_hooks,
        bomb_config,
        include_a_pipe,
        make_head_a_pipe,
        redirect_the_repository,
        borrow_a_strangers_objects,
        spoil_the_index,
        hide_the_change,
        replace_the_objects,
        many_refs,
    ],
)
async def test_the_agents_own_git_directory_is_never_read(
    attack: Callable[[Stage], None], stage: Stage
) -> None:
    attack(stage)
    snapshot = await stage.look()
    assert [file.path for file in snapshot.files] == ["src/app.py"]
    assert found(snapshot) == set()


async def test_a_strangers_object_does_not_come_into_the_hub(stage: Stage, hub: Hub) -> None:
    borrow_a_strangers_objects(stage)
    await stage.look()
    secret = run_git(stage.tree.parent / "stranger", "rev-parse", "HEAD:secret")
    assert (await hub.git().ask("cat-file", "-e", secret)).code != 0


async def test_a_repository_in_the_tree_is_blocked_and_not_entered(stage: Stage) -> None:
    inner = make_repository(stage.tree / "sub")
    run_git(inner, "config", "core.fsmonitor", stage.payload)
    assert ("block", "gitlink") in found(await stage.look())
    assert not (Path(stage.worktree.path) / "sub").exists()


async def test_a_bare_repository_in_the_tree_is_blocked(stage: Stage) -> None:
    bare = {"HEAD": "ref: refs/heads/main\n", "refs/keep": "", "objects/keep": "", "config": ""}
    put(stage.tree / "docs", {f"x/{name}": content for name, content in bare.items()})
    put(stage.tree / "docs/x", {"config": f"[core]\n\tfsmonitor = {stage.payload}\n"})
    assert ("block", "bare") in found(await stage.look())


async def test_a_link_into_the_host_is_blocked_and_not_followed(stage: Stage, hub: Hub) -> None:
    put(stage.mark.parent, {"host-secret": "hunter2"})
    (stage.tree / "link").symlink_to(stage.mark.parent / "host-secret")
    snapshot = await stage.look()
    assert ("block", "link") in found(snapshot)
    stored = await hub.git().line("cat-file", "blob", f"{snapshot.tree}:link")
    assert stored == str(stage.mark.parent / "host-secret")


async def test_a_directory_swapped_for_a_link_is_blocked(stage: Stage) -> None:
    (stage.tree / "docs").mkdir()
    (stage.tree / "docs" / "a").write_text("x")
    await stage.agent.snapshot()
    (stage.tree / "docs").rename(stage.tree / "elsewhere")
    (stage.tree / "docs").symlink_to("../outside")
    assert ("block", "link") in found(await stage.look())


async def test_attributes_and_drivers_in_the_tree_want_a_confirmation_and_run_nothing(
    stage: Stage,
) -> None:
    put(stage.tree, {".gitattributes": "* filter=x diff=x merge=x\n", ".lfsconfig": "[lfs]\n"})
    bomb_config(stage)
    snapshot = await stage.look()
    assert {f.path for f in snapshot.findings if f.severity == "confirm"} == {
        ".gitattributes",
        ".lfsconfig",
    }


async def test_submodule_settings_that_run_commands_are_refused(stage: Stage) -> None:
    module = '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "{}"\n\tupdate = !{}\n'
    put(stage.tree, {".gitmodules": module.format(stage.payload, stage.payload)})
    with pytest.raises(SnapshotRefused):
        await stage.look()


@pytest.mark.parametrize("name", [".GIT", "git~1", ".g\u200cit", ".git."])
async def test_another_spelling_of_the_git_directory_is_not_let_in(name: str, stage: Stage) -> None:
    put(stage.tree, {f"{name}/config": f"[core]\n\tfsmonitor = {stage.payload}\n"})
    try:
        snapshot = await stage.look()
    except SnapshotRefused:
        return
    assert all(not file.path.startswith(name) for file in snapshot.files)


@pytest.mark.parametrize("name", ["a\x1b]0;x\x07b", "a\nb", "a\u202eb", b"\xff"])
async def test_names_that_deceive_are_blocked(name: str | bytes, stage: Stage) -> None:
    (stage.tree / os.fsdecode(name)).write_text("x")
    assert ("block", "name") in found(await stage.look())


@pytest.mark.parametrize("name", ["-rf", "--upload-pack=touch x", "$(touch x)", ":(top)x", "'"])
async def test_names_that_look_like_options_are_only_names(name: str, stage: Stage) -> None:
    put(stage.tree, {name: "x\n"})
    snapshot = await stage.look()
    assert name in {file.path for file in snapshot.files}
    assert (Path(stage.worktree.path) / name).read_text() == "x\n"


async def test_names_that_clash_on_some_disks_are_blocked(stage: Stage) -> None:
    put(stage.tree, {"SRC/app.py": "x\n"})
    assert ("block", "clash") in found(await stage.look())


async def test_unreadable_files_are_left_out_and_named(stage: Stage) -> None:
    put(stage.tree, {"pipe-dir/ok": "x"})
    os.mkfifo(stage.tree / "pipe-dir/pipe")
    snapshot = await stage.look()
    assert snapshot.left_out == ("pipe-dir/pipe",)


async def test_very_deep_directories_do_no_harm(stage: Stage, repo: Repository) -> None:
    here = os.open(stage.tree, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    try:
        assert [file.path for file in (await stage.look()).files] == ["src/app.py"]
    finally:
        await stage.agent.sandbox.remove()  # deeper than Python's own removal can go


async def test_a_huge_history_of_the_agents_own_is_not_let_in(stage: Stage, hub: Hub) -> None:
    put(stage.tree, {"noise.bin": os.urandom(3_000_000)})
    run_git(stage.tree, "add", "-A")
    run_git(stage.tree, "commit", "-q", "-m", "noise")
    (stage.tree / "noise.bin").unlink()
    await stage.look()
    packs = sum(file.stat().st_size for file in hub.objects.rglob("*") if file.is_file())
    assert packs < 100_000
