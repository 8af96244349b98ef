"""An agent that attacks from a real box, a naive host that falls, and a victim who uses git as people do.

The box is shared: before each attack the agent's tree is laid back to how it was. Marks are made in a directory
that only the host has, so a payload that runs in the box leaves none.
"""

import contextlib
import io
import itertools
import os
import subprocess
import tarfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec

from app.domain.ids import RunId
from app.repo import diffs
from app.repo.history import choose, seen
from app.repo.hub import Hub, ensure_hub
from app.repo.ingest import Snapshot, ingest
from app.repo.merges import Proposal, propose
from app.repo.publish import Publication, publish
from app.repo.repository import Repository, keep, open_repository, resolve
from app.repo.scribe import Pack, Scribe, scribe, seed, take
from app.repo.tree import layout, mounts, prepare_script, targets
from app.repo.worktrees import Worktree, ensure_worktree
from sandboxes.base import Process, Sandbox
from tests.support.boxes import House, opened_house, ran, shell
from tests.support.repos import FILES, commit, make_repository, put, run_git

FIX = "sed -i 's/a - b/a + b/' src/app.py\n"
"""What the agent was asked for; every attack comes with it, and it must be seen."""
HANGS = 0.5
"""Seconds after which git, which answers in a fiftieth of that, is taken to wait for ever."""
_AGAIN = """\
cd / && chmod -R u+rwX /workspace 2>/dev/null; find /workspace -mindepth 1 -delete
cp -a /state/pristine/. /workspace && cd /workspace || exit 99
"""
_LOOKS = (
    *("status", "diff", "log -p --all", "branch -a", "worktree list", "stash list"),
    *("fsck --no-dangling", "gc --quiet"),
)
_SUBMODULE = '[submodule "lib"]\n\tpath = vendor/lib\n\turl = https://example.org/lib.git\n'


class Siege:
    """One user's repository, and the box of an agent that attacks it."""

    def __init__(self, root: Path, house: House, repo: Repository, hub: Hub, base: str) -> None:
        self.root, self.house, self.repo, self.hub, self.base = root, house, repo, hub, base
        self.user = repo.root
        self.marks = root / "marks"
        self.marks.mkdir()
        self.sandbox: Sandbox
        self.worktree: Worktree
        self._numbers = itertools.count(1)
        self.again()

    def payload(self, mark: str = "hit") -> str:
        """A command that marks the host it runs on."""
        return f"touch {self.marks}/{mark}"

    @property
    def marked(self) -> set[str]:
        """The marks there are; they are taken away."""
        found = {mark.name for mark in self.marks.iterdir()}
        for name in found:
            (self.marks / name).unlink()
        return found

    @property
    def run(self) -> RunId:
        return self.worktree.run

    @property
    def copy(self) -> Path:
        """The worktree a person looks at."""
        return Path(self.worktree.path)

    def again(self) -> None:
        """Go on as another run."""
        run = RunId(f"a{next(self._numbers)}.1")
        path = str(self.root / "worktrees" / run)
        self.worktree = Worktree(run=run, branch=f"swarm/{run}", path=path)

    async def prepare(self) -> None:
        """Lay the tree down as the product does, and remember how it looked."""
        await choose(self.repo, self.hub, self.run, self.base, "auto")
        objects = seen(self.repo, self.hub, self.run, self.base)
        self.sandbox = await self.house.open(self.house.spec(mounts=mounts(objects)))
        await self.lay(self.sandbox)
        await seed(self.sandbox, self.scribe_of(self.sandbox))
        _, ended = await ran(self.sandbox, "cp -a /workspace /state/pristine", name="pristine")
        assert ended.code == 0, ended.stderr

    async def lay(self, sandbox: Sandbox, commit: str = "", repo: Repository | None = None) -> None:
        """Lay a commit down; of the siege's repository, when no other is named."""
        base = commit if repo else self.base
        wanted = layout(
            repo or self.repo,
            tree=sandbox.places.tree,
            commit=commit or self.base,
            branch=self.worktree.branch,
            objects=[mount.target for mount in sandbox.spec.mounts],
        )
        wanted = msgspec.structs.replace(wanted, target="main", base=base)
        done = await sandbox.prepare(prepare_script(wanted))
        assert done.code == 0, done.stderr

    def scribe_of(self, sandbox: Sandbox) -> Scribe:
        return scribe(sandbox, objects=targets(sandbox.spec.mounts), base=self.base)

    async def attack(self, script: str, *, fix: str = FIX) -> list[str]:
        """As another run, on a fresh tree, do this in the box; what it printed."""
        self.again()
        return await self.act(_AGAIN + fix + script)

    async def act(self, script: str) -> list[str]:
        """Do this in the box."""
        written, ended = await ran(self.sandbox, script, name=f"act-{next(self._numbers)}")
        assert ended.code == 0, (ended, written)
        return written

    async def begin(self, script: str) -> Process:
        """Begin to do this in the box."""
        self.again()
        named = f"act-{next(self._numbers)}"
        return await self.sandbox.start(shell(_AGAIN + FIX + script, name=named))

    async def python(self, script: str) -> list[str]:
        """The attack as a Python program."""
        return await self.attack(f"python3 - <<'PYTHON'\n{script}\nPYTHON\n")

    async def take(self) -> Pack:
        return await take(self.sandbox, self.scribe_of(self.sandbox))

    async def let_in(self, pack: Pack) -> Snapshot:
        return await ingest(self.hub, pack, run=self.run, base=self.base)

    async def snapshot(self) -> Snapshot:
        return await self.let_in(await self.take())

    async def show(self, snapshot: Snapshot) -> Publication:
        """Branch and worktree of the run, moved to the snapshot if it may be shown."""
        await ensure_worktree(self.repo, self.hub, self.worktree, self.base)
        return await publish(self.repo, self.hub, self.worktree, snapshot)

    async def look(self) -> Snapshot:
        """Snapshot, publication, and a victim who looks at it; nothing of the agent's may have run."""
        snapshot = await self.snapshot()
        await self.show(snapshot)
        self.victim()
        assert self.marked == set()
        return snapshot

    def victim(self) -> None:
        """The user works in the repository, then looks into the run's worktree."""
        for command in _LOOKS:
            run_git(self.user, *command.split())
        put(self.user, {"README.md": "# Mine\n"})
        for command in ("stash", "stash pop", "checkout -- README.md"):
            run_git(self.user, *command.split())
        put(self.copy, {"mine.txt": "mine\n"})
        for command in (*_LOOKS[:-1], "add -A", "status", "diff --cached", "reset"):
            run_git(self.copy, *command.split())
        (self.copy / "mine.txt").unlink()

    async def diff(self, snapshot: Snapshot) -> str:
        """What a person gets to see of it."""
        return (await diffs.diff(self.hub, self.base, snapshot.tree)).decode(errors="replace")

    async def propose(self, snapshot: Snapshot, target: str = "main") -> Proposal:
        """What would land there."""
        return await propose(
            self.repo, self.hub, target=target, base=self.base, snapshot=snapshot.commit
        )

    async def in_hub(self, identifier: str) -> bool:
        return (await self.hub.git().ask("cat-file", "-e", identifier)).code == 0

    def branch(self, name: str, files: dict[str, str]) -> str:
        """A branch of the user's with a commit of theirs on top of the base."""
        place = self.root / f"side-{name}"
        run_git(self.user, "worktree", "add", "--quiet", "-b", name, str(place), self.base)
        made = commit(place, files, f"mine on {name}")
        run_git(self.user, "worktree", "remove", str(place))
        return made

    @contextlib.asynccontextmanager
    async def naive(self, *, borrow: bool = True) -> AsyncIterator["Naive"]:
        """The agent's live tree, as a host has it that mounts its own directory into the box."""
        place = self.root / f"naive-{next(self._numbers)}"
        place.mkdir()
        done = await self.sandbox.aside("tar -C /workspace -cf - .")
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(place, members=_mine(archive), filter="fully_trusted")
        if borrow:
            put(place, {".git/objects/info/alternates": f"{self.repo.objects[0]}\n"})
        try:
            yield Naive(self, place)
        finally:
            sh(self.root, f"rm -rf {place}")
        self.marked  # noqa: B018 - what the naive host did is of no interest to the next


def _mine(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in archive:
        yield member.replace(uid=os.getuid(), gid=os.getgid(), deep=False)


class Naive:
    """A host that works in what an agent can write."""

    def __init__(self, siege: Siege, path: Path) -> None:
        self._siege, self.path = siege, path

    def git(self, *args: str, where: str = ".") -> str:
        """What plain git prints in the live tree, whatever comes of it."""
        return run_git(self.path / where, *args, check=False)

    def fires(self, *args: str, where: str = ".") -> set[str]:
        """The payloads that this command runs on the host."""
        self.git(*args, where=where)
        return self._siege.marked

    def sh(self, script: str) -> str:
        """What a shell prints in the live tree."""
        return sh(self.path, script)

    def hangs(self, *args: str) -> bool:
        """Whether git never comes back."""
        try:
            subprocess.run(
                ["git", *args], cwd=self.path, timeout=HANGS, capture_output=True, check=False
            )
        except subprocess.TimeoutExpired:
            return True
        return False


def sh(where: Path, script: str) -> str:
    """What a shell on the host prints, whatever comes of it."""
    done = subprocess.run(
        ["sh", "-c", script], cwd=where, capture_output=True, text=True, check=False
    )
    return done.stdout


def rules(snapshot: Snapshot) -> set[tuple[str, str]]:
    """What the path policy found: severity and rule."""
    return {(one.severity, one.rule.removeprefix("paths/")) for one in snapshot.findings}


def confirmed(snapshot: Snapshot) -> set[str]:
    """The files that want a person's confirmation."""
    return {one.path for one in snapshot.findings if one.severity == "confirm"}


def changed(snapshot: Snapshot) -> list[str]:
    return [file.path for file in snapshot.files]


@contextlib.asynccontextmanager
async def besieged(root: Path) -> AsyncIterator[Siege]:
    """A fresh repository with a submodule nobody fetched, and a box of ours."""
    files = {**FILES, ".github/workflows/ci.yml": "on: push\n", ".gitmodules": _SUBMODULE}
    user = make_repository(root / "user" / "project", files)
    gitlink = f"160000,{'5' * 40},vendor/lib"
    run_git(user, "update-index", "--add", "--cacheinfo", gitlink)
    run_git(user, "commit", "--quiet", "--message", "use a library")
    (user / "vendor" / "lib").mkdir(parents=True)
    repo = await open_repository(user)
    hub = await ensure_hub(repo, root / "state" / "hubs")
    base = await resolve(repo, "main")
    async with opened_house("docker", root / "house") as house:
        siege = Siege(root, house, repo, hub, base)
        await keep(repo, siege.run, base)
        await siege.prepare()
        yield siege
