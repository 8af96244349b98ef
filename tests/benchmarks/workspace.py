"""A run's workspace laid down, looked at, taken away: with 2,000 files, with 50,000, with 1 GB of history.

The floor is `git worktree add` in the same repository in the same run. swarm makes that worktree for people, and a
second, private one in the box for the agent.
"""

import asyncio
import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.domain.ids import RunId
from app.repo import history, scribe, tree, worktrees
from app.repo.hub import Hub, ensure_hub
from app.repo.ingest import Snapshot, ingest
from app.repo.publish import publish
from app.repo.repository import Repository, keep, open_repository, resolve
from app.repo.scribe import Scribe
from app.repo.trash import remove_worktree
from app.repo.worktrees import Worktree
from sandboxes.base import Sandbox
from sandboxes.docker import DockerDriver
from sandboxes.spec import Program, SandboxSpec
from tests.support.images import test_image
from tests.support.repos import make_repository, run_git

NAME = "a run's workspace (Docker; the floor is `git worktree add`)"
SIZES = (2_000, 50_000)
EDITS = 20
AT_ONCE = 50
HISTORY = 1024
"""MiB that cannot be compressed."""
Row = tuple[str, float, str]


def measure() -> list[Row]:
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    rows: list[Row] = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as root:
            user = _repository(Path(root) / "user" / "project", size)
            rows += await _workspace(Path(root), user, f"{size:,} files")
    with tempfile.TemporaryDirectory() as root:
        rows += await _together(Path(root))
    with tempfile.TemporaryDirectory() as root:
        user = _with_history(Path(root) / "user" / "project")
        rows += await _workspace(Path(root), user, f"{HISTORY} MiB of history")
    return rows


def _repository(path: Path, size: int) -> Path:
    names = (f"src/d{number % 200}/f{number}.py" for number in range(size))
    user = make_repository(path, {name: f"# {name}\n" * 40 for name in names})
    os.sync()  # So that what follows does not wait for these to reach the disk.
    return user


def _with_history(path: Path) -> Path:
    """One file, rewritten until the objects are that large; the last version is small."""
    user = make_repository(path)

    def stream() -> Iterator[bytes]:
        for number in range(HISTORY):
            head = b"from refs/heads/main^0\n" if number == 0 else b""
            data = secrets.token_bytes(1024**2) if number < HISTORY - 1 else b"small\n"
            yield b"commit refs/heads/main\ncommitter Ada <ada@example.org> 1700000000 +0000\n"
            yield b"data 0\n" + head + b"M 644 inline big.bin\ndata %d\n" % len(data) + data + b"\n"

    command = ["git", "-c", "core.compression=0", "fast-import", "--quiet"]
    with subprocess.Popen(command, cwd=user, stdin=subprocess.PIPE) as process:
        assert process.stdin
        for piece in stream():
            process.stdin.write(piece)
        process.stdin.close()
    run_git(user, "reset", "--quiet", "--hard")
    return user


@dataclass
class Workspace:
    """One run's, made of the parts that the steps use."""

    repo: Repository
    hub: Hub
    worktree: Worktree
    sandbox: Sandbox
    scribe: Scribe
    base: str
    seen: str = ""

    async def lay_down(self) -> None:
        """The agent's tree, and the scribe's index of it."""
        at = tree.targets(self.sandbox.spec.mounts)
        branch = self.worktree.branch
        wanted = tree.layout(
            self.repo, tree=self.sandbox.places.tree, commit=self.base, branch=branch, objects=at
        )
        script = scribe.seeded(tree.prepare_script(wanted), self.scribe)
        done = await self.sandbox.prepare(script, scratch=True)
        assert done.code == 0, done.stderr

    async def edit(self, name: str) -> None:
        """What an agent does."""
        script = f"git ls-files | head -n {EDITS} | while read f; do echo {name} >> $f; done"
        process = await self.sandbox.start(Program(name=name, argv=("sh", "-c", script)))
        exit_ = await process.wait()
        assert exit_.code == 0, exit_.stderr

    async def snapshot(self) -> Snapshot:
        """From the tree to the user's branch and worktree."""
        pack = await scribe.take(self.sandbox, self.scribe, previous=self.seen)
        made = await ingest(self.hub, pack, run=self.worktree.run, base=self.base)
        self.seen = made.tree
        shown = await publish(self.repo, self.hub, self.worktree, made)
        assert shown.state == "current", shown.detail
        return made


async def _workspace(root: Path, user: Path, what: str) -> list[Row]:
    floor = await _floor(root, user)
    opening = time.perf_counter()
    driver = DockerDriver(root)
    made = await _open(root, user, driver)
    opened = time.perf_counter() - opening
    shown = await _timed(
        lambda: worktrees.ensure_worktree(made.repo, made.hub, made.worktree, made.base)
    )
    laid = await _timed(made.lay_down)
    await made.edit("first")
    first = await _timed(made.snapshot)
    await made.edit("second")
    later = await _timed(made.snapshot)
    same = await _timed(made.snapshot)
    away = await _timed(made.sandbox.remove)
    hidden = await _timed(lambda: remove_worktree(made.repo, made.hub, made.worktree))
    await driver.close()
    ready = opened + shown + laid
    return [
        (f"{what}: git worktree add", floor * 1000, "ms"),
        (f"{what}: hub, history and sandbox opened", opened * 1000, "ms"),
        (f"{what}: the user's worktree", shown * 1000, "ms"),
        (f"{what}: the agent's tree in its box", laid * 1000, "ms"),
        (f"{what}: all of it / git worktree add", ready / floor, "x"),
        (f"{what}: first snapshot, {EDITS} files edited", first * 1000, "ms"),
        (f"{what}: a later one, {EDITS} files edited", later * 1000, "ms"),
        (f"{what}: a later one, nothing changed", same * 1000, "ms"),
        (f"{what}: the sandbox removed", away * 1000, "ms"),
        (f"{what}: the worktree saved and removed", hidden * 1000, "ms"),
    ]


async def _open(root: Path, user: Path, driver: DockerDriver) -> Workspace:
    run = RunId(f"bench{secrets.token_hex(3)}.1")
    repo = await open_repository(user)
    hub = await ensure_hub(repo, root / "hubs")
    base = await resolve(repo, "main")
    await keep(repo, run, base)
    await history.choose(repo, hub, run, base, "auto")
    mounted = tree.mounts(history.seen(repo, hub, run, base))
    spec = SandboxSpec(name=run, owner="bench", image=test_image(), mounts=mounted)
    sandbox = await driver.open(spec)
    at = scribe.scribe(sandbox, objects=tree.targets(mounted), base=base)
    worktree = Worktree(run=run, branch=f"swarm/{run}", path=str(root / "worktrees" / run))
    return Workspace(repo, hub, worktree, sandbox, at, base)


async def _floor(root: Path, user: Path) -> float:
    """The second of two, with the files in memory as they are for what follows."""
    took = 0.0
    for number in range(2):
        place = root / f"floor{number}"
        began = time.perf_counter()
        run_git(user, "worktree", "add", "--quiet", "--detach", os.fspath(place))
        took = time.perf_counter() - began
        run_git(user, "worktree", "remove", "--force", os.fspath(place))
    return took


async def _together(root: Path) -> list[Row]:
    """Many worktrees of one repository at once, by git alone and by swarm, which lets them queue."""
    user = _repository(root / "user" / "project", 200)
    plain = ["git", "worktree", "add", "--quiet", "-b"]
    began = time.perf_counter()
    started = [
        await asyncio.create_subprocess_exec(
            *plain,
            f"plain{number}",
            str(root / f"plain{number}"),
            cwd=user,
            stderr=subprocess.DEVNULL,
        )
        for number in range(AT_ONCE)
    ]
    codes = await asyncio.gather(*(each.wait() for each in started))
    alone = time.perf_counter() - began
    repo = await open_repository(user)
    hub = await ensure_hub(repo, root / "hubs")
    base = await resolve(repo, "main")
    runs = [RunId(f"many{number}.1") for number in range(AT_ONCE)]
    wanted = [
        Worktree(run=run, branch=f"swarm/{run}", path=str(root / "swarm" / run)) for run in runs
    ]
    began = time.perf_counter()
    said = await asyncio.gather(
        *(worktrees.ensure_worktree(repo, hub, each, base) for each in wanted),
        return_exceptions=True,
    )
    ours = time.perf_counter() - began
    return [
        (f"{AT_ONCE} worktrees at once, git alone: failed", sum(c != 0 for c in codes), ""),
        (f"{AT_ONCE} worktrees at once, git alone", alone * 1000, "ms"),
        (f"{AT_ONCE} worktrees at once, swarm: failed", sum(e is not None for e in said), ""),
        (f"{AT_ONCE} worktrees at once, swarm", ours * 1000, "ms"),
    ]


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began
