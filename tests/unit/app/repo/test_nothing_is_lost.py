"""Random lives of a run, kills and clean-ups included: every byte that ever was in a snapshot can be reached.

Real git on real disks. A kill is a git command that is never started; the step is then said again, as the engine
would. What counts are the bytes, looked for behind the refs of the hub and of the user's repository.
"""

import asyncio
import contextlib
import hashlib
import itertools
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.domain.errors import SwarmError
from app.repo import git as git_seam
from app.repo import process, repository, trash
from app.repo.hub import Hub, ensure_hub
from app.repo.ingest import newest
from app.repo.merges import land
from app.repo.publish import publish
from app.repo.repository import Repository, keep, open_repository, resolve, unkeep
from app.repo.undoing import undo
from app.repo.worktrees import Worktree, ensure_worktree
from tests.support.repos import (
    BRANCH,
    RUN,
    WORDS,
    AgentAtWork,
    HostSandbox,
    landing,
    make_repository,
    put,
    run_git,
)

T = TypeVar("T")
FILES = st.sampled_from(["README.md", "src/app.py", "new.txt", "deep/er/one.txt"])
KILLS = st.one_of(st.none(), st.integers(min_value=1, max_value=14))


class Died(BaseException):
    """The supervisor, in the middle of a step."""


class Life(RuleBasedStateMachine):
    """One run of one repository."""

    repo: Repository
    hub: Hub
    agent: AgentAtWork

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="swarm-life-"))
        self.loop = asyncio.new_event_loop()
        self.patch = pytest.MonkeyPatch()
        self.patch.setenv("HOME", str(self.root))
        self.number = itertools.count(1)
        self.had: dict[str, str] = {}
        self.gone = self.landed_at = ""
        self.user = make_repository(self.root / "user" / "project")
        self.worktree = Worktree(run=RUN, branch=BRANCH, path=str(self.root / "worktree"))
        self.loop.run_until_complete(self._begin())

    async def _begin(self) -> None:
        self.repo = await open_repository(self.user)
        self.hub = await ensure_hub(self.repo, self.root / "hubs")
        base = await resolve(self.repo, "main")
        self.agent = AgentAtWork(self.repo, self.hub, HostSandbox(self.root / "box"), base)
        await self.agent.prepare()
        await ensure_worktree(self.repo, self.hub, self.worktree, base)

    def teardown(self) -> None:
        if hasattr(self, "root"):
            self.loop.close()
            self.patch.undo()
            shutil.rmtree(self.root, ignore_errors=True)

    @rule(name=FILES, kill=KILLS, smuggled=st.booleans())
    def the_agent_works(self, name: str, kill: int | None, *, smuggled: bool) -> None:
        content = self._put(self.agent.tree, name)
        link = self.agent.tree / "leak"
        link.unlink(missing_ok=True)
        if smuggled:
            link.symlink_to("/etc/passwd")
        self._do(self._snapshot, kill)
        self._has(content)

    @rule(name=FILES)
    def a_person_commits(self, name: str) -> None:
        if (place := self._place()) and run_git(place, "branch", "--show-current") == BRANCH:
            self._put(place, name)
            run_git(place, "add", "--all")
            run_git(place, "commit", "--quiet", "--allow-empty", "--message", "a person's")

    @rule(name=FILES)
    def a_person_edits(self, name: str) -> None:
        if place := self._place():
            self._put(place, name)

    @rule(kill=KILLS)
    def the_next_turn_begins(self, kill: int | None) -> None:
        if not self._place():
            return
        mine = self._persons()
        if self._do(self._hand_over, kill):
            for content in mine.values():
                self._has(content)

    @rule(kill=KILLS)
    def it_is_discarded(self, kill: int | None) -> None:
        if self._place():
            mine = self._persons()
            self._do(self._discard, kill)
            for content in mine.values():
                self._has(content)

    @rule(kill=KILLS)
    def it_is_restored(self, kill: int | None) -> None:
        if not self._place():
            self._do(self._restore, kill)

    @rule(kill=KILLS)
    def it_lands(self, kill: int | None) -> None:
        self._do(self._land, kill)

    @rule(kill=KILLS)
    def it_is_undone(self, kill: int | None) -> None:
        if self.landed_at:
            self._do(self._undo, kill)

    @rule()
    def the_user_cleans_up(self) -> None:
        for where in (self.user, self.hub.git_dir):
            run_git(where, "reflog", "expire", "--expire=now", "--all")
            run_git(where, "gc", "--quiet", "--prune=now")

    @rule()
    def the_target_is_forced_back(self) -> None:
        run_git(self.user, "reset", "--quiet", "--hard", self.agent.base)
        self.landed_at = ""

    @rule()
    def the_worktree_is_removed_by_hand(self) -> None:
        if place := self._place():
            run_git(self.user, "worktree", "remove", "--force", str(place))

    @invariant()
    def every_byte_is_reachable(self) -> None:
        if not hasattr(self, "root"):
            return
        reachable = {
            line.split(" ")[0]
            for where in (self.hub.git_dir, self.user)
            for line in run_git(where, "rev-list", "--objects", "--all").splitlines()
        }
        lost = [content for blob, content in self.had.items() if blob not in reachable]
        assert not lost

    async def _snapshot(self) -> None:
        made = await self.agent.snapshot()
        await publish(self.repo, self.hub, self.worktree, made)

    async def _hand_over(self) -> bool:
        snapshot = await newest(self.hub, RUN) or self.agent.base
        if await self.agent.hand_over(self.worktree, snapshot) is None:
            return False
        await self._snapshot()
        return True

    async def _discard(self) -> None:
        await trash.remove_worktree(self.repo, self.hub, self.worktree)
        await unkeep(self.repo, RUN)

    async def _restore(self) -> None:
        await keep(self.repo, RUN, self.agent.base)
        await trash.restore(self.repo, self.hub, self.worktree)

    async def _land(self) -> None:
        made = await self.agent.snapshot()
        if made.blocked or made.commit == made.base:
            return
        proposal = await self.agent.propose(made)
        tip = await repository.tip_of(self.repo, "main")
        if proposal.result_tree and proposal.files and tip == proposal.tip:
            self.landed_at = await land(self.repo, self.hub, landing(proposal))

    async def _undo(self) -> None:
        await undo(self.repo, self.hub, self.landed_at, run=RUN, target="main", words=WORDS)

    def _do(self, work: Callable[[], Coroutine[Any, Any, T]], kill: int | None) -> T | None:
        """Say the step; killed in the middle, say it again. A refusal in words is an answer, too."""
        with contextlib.suppress(SwarmError):
            if kill is not None:
                with contextlib.suppress(Died), pytest.MonkeyPatch.context() as patch:
                    patch.setattr(git_seam, "finish", _dying(kill))
                    return self.loop.run_until_complete(work())
            return self.loop.run_until_complete(work())
        return None

    def _put(self, where: Path, name: str) -> str:
        """Write what nobody ever wrote; at most one line differs, so that some changes go together."""
        content = f"{name} {next(self.number)}\n"
        put(where, {name: content})
        return content

    def _has(self, content: str) -> None:
        """From now on it may never be lost."""
        data = content.encode()
        self.had[hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()] = content

    def _place(self) -> Path | None:
        place = Path(self.worktree.path)
        return place if (place / ".git").exists() else None

    def _persons(self) -> Mapping[str, str]:
        """What stands in the worktree."""
        place = Path(self.worktree.path)
        files = (place / name for name in ("README.md", "src/app.py", "new.txt", "deep/er/one.txt"))
        return {str(file): file.read_text() for file in files if file.exists()}


def _dying(at: int) -> Callable[..., Awaitable[Any]]:
    """`finish` of a supervisor that dies before its n-th command."""
    count = itertools.count(1)
    real = process.finish

    async def finish(*args: Any, **kwargs: Any) -> Any:
        if next(count) >= at:
            raise Died
        return await real(*args, **kwargs)

    return finish


Life.TestCase.settings = settings(
    max_examples=5,
    stateful_step_count=12,
    phases=[Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestLife = Life.TestCase
