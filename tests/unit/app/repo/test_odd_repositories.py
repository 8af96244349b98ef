"""Repositories as they come: odd settings, names and shapes. Work goes through, and nothing of theirs is lost."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.repo.errors import TargetDirty, TargetMoved
from app.repo.hub import ensure_hub
from app.repo.merges import land
from app.repo.names import free_branch_name
from app.repo.publish import publish
from app.repo.repository import open_repository, resolve
from app.repo.worktrees import Worktree, ensure_worktree
from tests.support.repos import (
    RUN,
    AgentAtWork,
    HostSandbox,
    commit,
    landing,
    make_repository,
    put,
    run_git,
    set_tripwires,
)

FIX = {"src/app.py": "def add(a, b):\n    return a + b\n"}


class Way:
    """The whole way of a change through one repository."""

    def __init__(self, agent: AgentAtWork, worktree: Worktree) -> None:
        self.agent, self.worktree = agent, worktree

    async def go(self, edits: dict[str, str | bytes] | None = None) -> str:
        """From an edit to its landing on `main`: the commit."""
        agent = self.agent
        await ensure_worktree(agent.repo, agent.hub, self.worktree, agent.base)
        snapshot = await agent.snapshot(edits or FIX)
        assert [one for one in snapshot.findings if one.severity == "block"] == []
        shown = await publish(agent.repo, agent.hub, self.worktree, snapshot)
        assert shown.state == "current", shown.detail
        return await land(agent.repo, agent.hub, landing(await agent.propose(snapshot)))


async def way(user: Path) -> Way:
    """From whatever the repository is now."""
    root = user.parent.parent
    repo = await open_repository(user)
    hub = await ensure_hub(repo, root / "state" / "hubs")
    agent = AgentAtWork(repo, hub, HostSandbox(root / "box"), await resolve(repo, "main"))
    await agent.prepare()
    place = str(root / "state" / "worktrees" / RUN)
    return Way(agent, Worktree(run=RUN, branch=f"swarm/x-{RUN}", path=place))


SETTINGS = {
    "signing": {"commit.gpgSign": "true", "gpg.program": "false", "user.signingKey": "x"},
    "line ends": {"core.autocrlf": "true", "core.safecrlf": "true"},
    "merging": {"merge.ff": "false", "merge.verifySignatures": "true", "pull.rebase": "true"},
    "diffing": {"diff.noprefix": "true", "diff.external": "false", "diff.renames": "copies"},
    "listing": {"status.short": "true", "status.branch": "true", "column.ui": "always"},
    "names": {
        "core.quotePath": "false",
        "core.precomposeUnicode": "true",
        "core.ignoreCase": "true",
    },
    "colour": {"color.ui": "always", "core.pager": "false", "core.editor": "false"},
    "refs": {"core.logAllRefUpdates": "false", "receive.denyCurrentBranch": "refuse"},
    "checks": {"transfer.fsckObjects": "true", "fsck.missingEmail": "error"},
    "monitor": {"core.untrackedCache": "true", "core.splitIndex": "true", "index.version": "4"},
    "identity": {"user.useConfigOnly": "true", "author.name": "Somebody"},
    "objects": {
        "pack.packSizeLimit": "1m",
        "repack.writeBitmaps": "true",
        "core.commitGraph": "true",
    },
    "stash": {"merge.autoStash": "true", "rebase.autoStash": "true"},
    "language": {"i18n.commitEncoding": "latin1", "i18n.logOutputEncoding": "latin1"},
    "worktrees": {"extensions.worktreeConfig": "true", "checkout.workers": "4"},
}


@pytest.mark.parametrize("name", SETTINGS)
async def test_work_goes_through_whatever_is_configured(name: str, user: Path) -> None:
    for key, value in SETTINGS[name].items():
        run_git(user, "config", key, value)
    await (await way(user)).go()
    assert run_git(user, "cat-file", "blob", "main:src/app.py").endswith("a + b")
    assert run_git(user, "status", "--porcelain") in ("", "## main")


async def test_no_program_of_a_repositorys_configuration_runs(user: Path, tmp_path: Path) -> None:
    mark = set_tripwires(user)
    for key in (
        *("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "sequence.editor"),
        *(
            "diff.external",
            "gpg.program",
            "credential.helper",
            "core.askPass",
            "uploadpack.packObjectsHook",
        ),
        *("core.alternateRefsCommand", "diff.x.textconv", "diff.x.command", "merge.x.driver"),
    ):
        run_git(user, "config", key, f"touch {tmp_path}/{key}; false")
    put(user, {".git/info/attributes": "* diff=x merge=x\n"})
    await (await way(user)).go()
    assert not mark.exists()
    assert list(tmp_path.glob("*.*")) == []


ODD: dict[str, Callable[[Path], object]] = {
    "names that are not UTF-8": lambda user: put_bytes(user, b"caf\xe9/\xff.txt"),
    "a name with a line break": lambda user: put(user, {"a\nb": "x"}),
    "names that clash elsewhere": lambda user: put(user, {"A.txt": "x", "a.txt": "y"}),
    "a link to nowhere": lambda user: (user / "dead").symlink_to("nowhere"),
    "a link out of it": lambda user: (user / "out").symlink_to("../../elsewhere"),
    "a link to an absolute path": lambda user: (user / "abs").symlink_to("/etc/hostname"),
    "a link to a directory": lambda user: (user / "dir").symlink_to("src"),
    "a file of no bytes": lambda user: put(user, {"empty": ""}),
    "a large file": lambda user: put(user, {"large": bytes(21 * 1024**2)}),
    "files in LFS": lambda user: put(
        user, {".gitattributes": "*.bin filter=lfs\n", "m.bin": "version"}
    ),
    "line ends by attributes": lambda user: put(
        user, {".gitattributes": "* text=auto eol=crlf\n", "dos.txt": "a\r\nb\r\n"}
    ),
    "keywords": lambda user: put(user, {".gitattributes": "*.id ident\n", "x.id": "$Id$\n"}),
}


def put_bytes(user: Path, name: bytes) -> None:
    path = os.path.join(os.fsencode(user), name)  # noqa: PTH118 - a name that no `Path` prints
    os.makedirs(os.path.dirname(path))  # noqa: PTH103, PTH120
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(b"x")


@pytest.mark.parametrize("name", ODD)
async def test_what_was_there_before_is_no_finding_and_stays(name: str, user: Path) -> None:
    ODD[name](user)
    commit(user, {}, "odd")
    before = run_git(user, "ls-tree", "-r", "main")
    walked = await way(user)
    await walked.go()
    after = run_git(user, "ls-tree", "-r", "main")
    differing = set(before.splitlines()) ^ set(after.splitlines())
    assert {line.partition("\t")[2] for line in differing} == {"src/app.py"}
    assert run_git(user, "status", "--porcelain") == ""


async def test_a_submodule_stays_at_its_commit(user: Path, tmp_path: Path) -> None:
    library = make_repository(tmp_path / "library")
    run_git(user, "-c", "protocol.file.allow=always", "submodule", "add", str(library), "lib")
    run_git(user, "commit", "--quiet", "--message", "use it")
    await (await way(user)).go()
    assert run_git(user, "rev-parse", "main:lib") == run_git(library, "rev-parse", "HEAD")
    assert (user / "lib" / "README.md").exists()
    assert run_git(user, "status", "--porcelain") == ""


async def test_a_repository_within_the_users_checkout_is_left_alone(user: Path) -> None:
    inner = make_repository(user / "inner")
    put(inner, {"unsaved.txt": "mine"})
    await (await way(user)).go()
    assert (inner / "unsaved.txt").read_text() == "mine"
    assert run_git(user, "status", "--porcelain") == "?? inner/"


async def test_a_sparse_checkout_stays_sparse(user: Path) -> None:
    commit(user, {"wide/file.txt": "x\n"})
    run_git(user, "sparse-checkout", "set", "src")
    await (await way(user)).go({**FIX, "wide/file.txt": "y\n"})
    assert not (user / "wide").exists()
    assert run_git(user, "show", "main:wide/file.txt") == "y"
    assert run_git(user, "status", "--porcelain") == ""


async def test_a_branch_called_swarm_is_gone_around(user: Path) -> None:
    run_git(user, "branch", "swarm")
    walked = await way(user)
    name = await free_branch_name(walked.agent.repo, "Fix add", RUN)
    walked.worktree = Worktree(run=RUN, branch=name, path=walked.worktree.path)
    await walked.go()
    assert run_git(user, "rev-parse", "--verify", name)


async def test_a_base_that_was_rewritten_by_force_gets_the_change_on_top(user: Path) -> None:
    walked = await way(user)
    put(user, {"README.md": "# Rewritten\n"})
    run_git(user, "commit", "--quiet", "--all", "--amend", "--message", "rewritten")
    run_git(user, "reflog", "expire", "--expire=now", "--all")
    run_git(user, "gc", "--quiet", "--prune=now")
    rewritten = run_git(user, "rev-parse", "main")
    landed = await walked.go()
    assert run_git(user, "rev-parse", f"{landed}^") == rewritten
    assert run_git(user, "show", "main:README.md") == "# Rewritten"
    assert (user / "src" / "app.py").read_text() == FIX["src/app.py"]


async def test_a_target_that_was_deleted_is_named_and_the_work_stays(user: Path) -> None:
    walked = await way(user)
    run_git(user, "checkout", "--quiet", "-b", "other")
    run_git(user, "branch", "--quiet", "-D", "main")
    with pytest.raises(TargetMoved, match=r"'main' is gone .*"):
        await walked.go()
    shown = walked.worktree.branch
    assert run_git(user, "show", f"{shown}:src/app.py").endswith("a + b")


async def test_a_filter_that_is_not_installed_is_told_and_nothing_is_touched(user: Path) -> None:
    commit(user, {".gitattributes": "*.bin filter=lfs\n", "m.bin": "one\n"}, "large")
    walked = await way(user)
    for key, value in {"clean": "cat", "smudge": "no-such-program", "required": "true"}.items():
        run_git(user, "config", f"filter.lfs.{key}", value)
    before = run_git(user, "rev-parse", "main")
    with pytest.raises(TargetDirty, match=r"could not lay .* filter"):
        await walked.go({"README.md": "# New\n", "a.txt": "new\n", "m.bin": "two\n"})
    assert run_git(user, "rev-parse", "main") == before
    assert run_git(user, "status", "--porcelain") == ""
    for key in ("clean", "smudge", "required"):
        run_git(user, "config", "--unset", f"filter.lfs.{key}")
    await walked.go({"README.md": "# New\n", "m.bin": "two\n"})
    assert run_git(user, "status", "--porcelain") == ""


async def test_a_name_of_the_users_that_git_refuses_elsewhere_is_carried(user: Path) -> None:
    run_git(user, "config", "core.protectNTFS", "false")
    commit(user, {"con.txt": "x", "a:b": "y", "trailing. ": "z"}, "not for Windows")
    await (await way(user)).go()
    assert run_git(user, "status", "--porcelain") == ""
