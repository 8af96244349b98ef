"""Small real repositories, made fast, and a sandbox that is just a directory of the host."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec

from app.domain.ids import RunId
from app.repo.handover import Handover, apply_script, join, own_work, pack_of
from app.repo.hub import Hub
from app.repo.ingest import Snapshot, ingest
from app.repo.ingest import adopt as ingest_adopt
from app.repo.merges import Landing, Proposal, Words, propose, trailers
from app.repo.repository import Repository, keep
from app.repo.scribe import Pack, Scribe, adopt, scribe, seed, take
from app.repo.tree import Layout, layout, mounts, prepare_script, targets
from app.repo.worktrees import Worktree
from sandboxes.spec import Completed, Places

ENV = {
    "PATH": os.environ["PATH"],
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "@1700000000 +0000",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_COMMITTER_DATE": "@1700000000 +0000",
}


def run_git(where: Path, *args: str, stdin: bytes = b"", check: bool = True) -> str:
    """What the user's own git prints in that directory, hooks and configuration and all."""
    env = ENV | {"HOME": os.environ.get("HOME", "/nonexistent")}
    done = subprocess.run(
        ["git", *args], cwd=where, env=env, input=stdin, capture_output=True, check=False
    )
    assert done.returncode == 0 or not check, done.stderr.decode()
    return done.stdout.decode(errors="backslashreplace").rstrip("\n")


def put(where: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files below a directory."""
    for name, content in files.items():
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def commit(where: Path, files: Mapping[str, str | bytes], message: str = "change") -> str:
    """Write and commit files; the commit's id."""
    put(where, files)
    run_git(where, "add", "--all")
    run_git(where, "commit", "--quiet", "--message", message)
    return run_git(where, "rev-parse", "HEAD")


FILES: Mapping[str, str] = {
    "README.md": "# Project\n",
    "src/app.py": "def add(a, b):\n    return a - b\n",
    "src/util.py": "\n".join(f"line {number}" for number in range(40)) + "\n",
    ".gitignore": "build/\n*.log\n",
}


def make_repository(path: Path, files: Mapping[str, str | bytes] = FILES) -> Path:
    """A user's repository with one commit on `main`."""
    path.mkdir(parents=True)
    run_git(path, "init", "--quiet", "--template=", "--initial-branch=main")
    run_git(path, "config", "user.name", "Ada")
    run_git(path, "config", "user.email", "ada@example.org")
    commit(path, files, "start")
    return path


class HostSandbox:
    """What snapshots need of a sandbox, as plain `sh` on the host."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.places = Places(
            tree=f"{root}/tree",
            state=f"{root}/state",
            launch=f"{root}/launch",
            scratch=f"{root}/scratch",
            gateway="",
        )
        for place in ("tree", "state", "launch", "scratch"):
            (root / place).mkdir(parents=True)

    @property
    def tree(self) -> Path:
        return self.root / "tree"

    async def prepare(
        self, script: str, *, env: Mapping[str, str] = {}, timeout: float = 600.0
    ) -> Completed:
        return self._sh(script, env, b"", timeout, 1 << 20)

    async def aside(
        self,
        script: str,
        *,
        env: Mapping[str, str] = {},
        stdin: bytes = b"",
        timeout: float = 120.0,
        limit: int = 64 * 1024**2,
    ) -> Completed:
        return self._sh(script, env, stdin, timeout, limit)

    def _sh(
        self, script: str, env: Mapping[str, str], stdin: bytes, timeout: float, limit: int
    ) -> Completed:
        try:
            done = subprocess.run(
                ["timeout", "-s", "KILL", str(timeout), "sh", "-c", script],
                env={"PATH": os.environ["PATH"], **env},
                input=stdin,
                capture_output=True,
                check=False,
                timeout=timeout + 5,
            )
        except subprocess.TimeoutExpired:
            return Completed(code=124, stdout=b"")
        code = 124 if done.returncode in (-9, 137) else done.returncode
        return Completed(
            code=code,
            stdout=done.stdout[:limit],
            stderr=done.stderr.decode(errors="replace"),
            truncated=len(done.stdout) > limit,
        )

    async def remove(self) -> None:
        """The place is gone, however deep what is in it."""
        self._sh(f"rm -rf -- '{self.root}'", {}, b"", 60.0, 0)


def set_tripwires(where: Path) -> Path:
    """Hooks of every kind; each leaves a mark in the file given back when it runs."""
    mark = where.parent / "hook-ran"
    for name in (
        *("pre-commit", "post-commit", "post-checkout", "post-merge", "pre-merge-commit"),
        *("reference-transaction", "post-index-change", "post-rewrite", "pre-auto-gc"),
    ):
        put(where / ".git" / "hooks", {name: f"#!/bin/sh\necho {name} >> {mark}\n"})
        (where / ".git" / "hooks" / name).chmod(0o755)
    return mark


RUN = RunId("k3f9.1")
NOW = 1_800_000_000.0
BRANCH = "swarm/fix-add-k3f9"
WORDS = Words(
    message="Fix add",
    trailers=trailers(RUN, snapshot="5" * 40, review="k3f9.1-r1"),
    author=("Ada", "ada@example.org"),
    date=NOW,
)


class AgentAtWork:
    """A run whose tree is laid down: edit `tree`, then take snapshots."""

    def __init__(self, repo: Repository, hub: Hub, sandbox: HostSandbox, base: str) -> None:
        self.repo, self.hub, self.sandbox, self.base = repo, hub, sandbox, base
        self.run = RUN
        self.tree = sandbox.tree
        self.seen = ""

    @property
    def layout(self) -> Layout:
        places = targets(mounts(self.repo.objects, isolated=False))
        wanted = layout(
            self.repo, tree=str(self.tree), commit=self.base, branch=BRANCH, objects=places
        )
        return msgspec.structs.replace(wanted, target="main", base=self.base)

    @property
    def scribe(self) -> Scribe:
        return scribe(self.sandbox, objects=self.layout.objects, base=self.base)

    async def prepare(self) -> None:
        await keep(self.repo, self.run, self.base)
        done = await self.sandbox.prepare(prepare_script(self.layout))
        assert done.code == 0, done.stderr
        await seed(self.sandbox, self.scribe)

    async def take(self) -> Pack:
        return await take(self.sandbox, self.scribe, previous=self.seen)

    async def snapshot(self, edits: Mapping[str, str | bytes] = {}) -> Snapshot:
        """Make the edits, and take a snapshot of the tree."""
        put(self.tree, edits)
        made = await ingest(self.hub, await self.take(), run=self.run, base=self.base)
        self.seen = made.tree
        return made

    async def hand_over(self, worktree: Worktree, snapshot: str) -> Handover | None:
        """What a person did in the worktree, brought into the tree; None when that is nothing."""
        theirs = await own_work(self.repo, self.hub, worktree, snapshot, now=NOW)
        if not theirs:
            return None
        done = await join(
            self.repo, self.hub, self.run, base=self.base, snapshot=snapshot, theirs=theirs
        )
        pack = await pack_of(self.hub, done, base=self.base)
        put(Path(self.sandbox.places.launch), {"pack": pack})
        laid = f"{self.sandbox.places.launch}/pack"
        ran = await self.sandbox.prepare(apply_script(done, tree=str(self.tree), pack=laid))
        assert ran.code == 0, ran.stderr
        await adopt(self.sandbox, self.scribe, commit=done.commit, pack=pack)
        await ingest_adopt(self.hub, self.run, done.commit)
        return done

    async def propose(self, snapshot: Snapshot, target: str = "main") -> Proposal:
        return await propose(
            self.repo, self.hub, target=target, base=self.base, snapshot=snapshot.commit
        )


def landing(proposal: Proposal, target: str = "main", words: Words = WORDS) -> Landing:
    return Landing(target=target, tip=proposal.tip, result_tree=proposal.result_tree, words=words)
