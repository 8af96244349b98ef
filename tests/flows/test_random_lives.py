"""Random lives of a whole service: verbs, edits, clean-ups and kills in any order lose no byte.

What a snapshot or a commit of a person's ever held stays behind a ref of the hub or of the user's repository;
what a person left in a worktree is still there, or behind such a ref.

`SWARM_TEST_LIVES=20` lives so many instead of one.
"""

import asyncio
import contextlib
import hashlib
import itertools
import os
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from app import wire
from app.client.client import Swarm
from app.domain.errors import SwarmError
from app.domain.run import Run, RunState
from tests.support.actions import AT_REST, USER
from tests.support.home import Home
from tests.support.invariants import World
from tests.support.kills import Killed
from tests.support.nursery import Nursery, nursery
from tests.support.patience import PATIENCE
from tests.support.repos import commit, put, run_git
from tests.support.scripts import scripted

DEEDS: Final = 20
LIVES: Final = int(os.environ.get("SWARM_TEST_LIVES", "1"))
ACT: Final = wire.Act(by=USER)
WRITE: Final = {"run": "echo $SWARM_RUN $SWARM_TURN $$ >> work.txt; echo $$ > $SWARM_TURN.txt"}
RESTING: Final = frozenset({*AT_REST, RunState.IN_REVIEW, RunState.DISCARDED})
USUAL: Final = ("edits", "changes", "resume", "retry", "stop", "discard", "cleans up", "sweep")
MIGHT: Final[Mapping[RunState, tuple[str, ...]]] = {
    RunState.IN_REVIEW: ("edits", "overwrites", "commits", "discard", "approve", "approve", *USUAL),
    RunState.DISCARDED: ("restore", "restore", "restore", "sweep", "cleans up"),
    RunState.MERGED: ("undo", "undo", "rewrites", "retry", "sweep", "cleans up"),
}
"""What a person might do to a run in that state; to any other, what is usual."""


@pytest.fixture(scope="module")
def cradle() -> Iterator[Nursery]:
    with nursery() as cradle:
        yield cradle


class Life:
    """A user who does anything at any time, on a machine that dies now and then."""

    def __init__(self, user: Killed, seed: int) -> None:
        self.user = user
        self.home, self.repo = user.world.home, user.world.repo
        self.chance = random.Random(seed)
        self.number = itertools.count(1)
        self.had: set[str] = set()
        """Ids of all there ever was: files behind refs and in worktrees, commits that are not swarm's own."""
        self.told: list[str] = []

    async def live(self) -> None:
        for _ in range(2):
            await self.user.ask(self.submits)
            await self.rest()
        run: Run | None = None
        for _ in range(DEEDS):
            # One deed upon another is what goes wrong.
            known = {each.id: each for each in await self.runs()}
            stays = self.chance.random() < 0.6
            same = known.get(run.id) if run and stays else None
            run = same or self.chance.choice([*known.values()])
            deed = self.chance.choice(MIGHT.get(run.state, USUAL))
            async with self.death():
                await self.does(deed, run)
            if self.chance.random() < 0.6:
                await self.rest()
        await self.rest()

    async def submits(self, swarm: Swarm) -> None:
        new = wire.NewTask(goal="Write", agent="writer", repo=str(self.repo), submitter=USER)
        await swarm.submit(new)

    async def does(self, deed: str, run: Run) -> None:
        """That deed; a refusal in words is an answer, too."""
        self.told.append(f"{deed} {run.id} ({run.state})")
        self.had |= self.kept()
        match deed:
            case "edits" if here(run):
                self.writes(Path(run.worktree), f"mine-{next(self.number)}.txt")
            case "overwrites" | "commits" | "rewrites" | "cleans up":
                await self.rest()
                self.with_own_hands(deed, run)
            case "edits":
                self.told.append("which cannot be done")
            case _:
                with contextlib.suppress(SwarmError):
                    await self.user.ask(lambda swarm: say(swarm, deed, run.id))

    def with_own_hands(self, deed: str, run: Run) -> None:
        """What a person does while nothing is at work."""
        place = Path(run.worktree)
        match deed:
            case "overwrites" if here(run):
                self.writes(place, self.chance.choice(["README.md", "work.txt"]))
            case "commits" if here(run) and run_git(place, "branch", "--show-current"):
                commit(place, {"mine.txt": f"{next(self.number)}\n"}, "a person's")
            case "rewrites":
                self.had.discard(run_git(self.repo, "rev-parse", "HEAD"))
                words = f"rewritten {next(self.number)}"
                run_git(self.repo, "commit", "--quiet", "--amend", "--message", words)
            case "cleans up":
                run_git(self.repo, "reflog", "expire", "--expire=now", "--all")
                run_git(self.repo, "gc", "--quiet", "--prune=now")
            case _:
                self.told.append("which cannot be done")

    def writes(self, place: Path, name: str) -> None:
        file, data = place / name, f"a person's {next(self.number)}\n"
        if file.exists():
            # What they overwrite before anybody has seen it is theirs to lose.
            self.had -= {blob_of(file)} - self.kept()
        put(place, {name: data})
        self.had.add(blob_of(file))

    async def runs(self) -> list[Run]:
        async def every(swarm: Swarm) -> list[Run]:
            rows = [*(await swarm.board()).rows, *(await swarm.trash())]
            return sorted((row.run for row in rows), key=lambda run: run.created)

        return await self.user.ask(every)

    @contextlib.asynccontextmanager
    async def death(self) -> AsyncIterator[None]:
        """Perhaps the supervisor dies meanwhile, or soon after."""
        dying = None
        if self.chance.random() < 0.4:
            dying = asyncio.create_task(self.dies_in(self.chance.uniform(0.0, 0.5)))
        yield
        if dying:
            await dying

    async def dies_in(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.told.append("killed")
        self.user.kill()

    async def rest(self) -> None:
        """Until nothing is at work for any run; and nothing is lost by then."""

        async def at_rest(swarm: Swarm) -> bool:
            return all(row.run.state in RESTING for row in (await swarm.board()).rows)

        async with asyncio.timeout(PATIENCE):
            while not await self.user.ask(at_rest):
                await asyncio.sleep(0.05)
        await self.user.idle()
        there = self.kept() | self.in_worktrees()
        assert self.had - there == set(), self.told
        self.had |= there

    def kept(self) -> set[str]:
        """The ids of all files, and of all commits but swarm's own, that a ref leads to."""
        hubs = self.home.state.glob("repositories/*/hub.git")
        return {line.split()[0] for where in (self.repo, *hubs) for line in behind_refs(where)}

    def in_worktrees(self) -> set[str]:
        files = self.home.state.glob("worktrees/*/*/*")
        return {blob_of(file) for file in files if file.suffix in (".txt", ".md")}


def here(run: Run) -> bool:
    """Whether the run has a worktree now."""
    return bool(run.worktree) and Path(run.worktree, ".git").exists()


def behind_refs(where: Path) -> Iterator[str]:
    files = ("--objects", "--filter=object:type=blob", "--filter-provided-objects")
    yield from run_git(where, "rev-list", "--all", *files).splitlines()
    commits = run_git(where, "log", "--all", "--format=%H %ae").splitlines()
    yield from (line for line in commits if not line.endswith("@swarm.invalid"))


def blob_of(file: Path) -> str:
    """The id that git gives to the file."""
    data = file.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


async def say(swarm: Swarm, deed: str, run: str) -> None:
    """One verb, to one run."""
    match deed:
        case "changes":
            await swarm.changes(run, wire.Changes(note="more", by=USER))
        case "resume":
            await swarm.resume(run, wire.Resume(by=USER))
        case "retry":
            await swarm.retry(run, wire.Retry(by=USER))
        case "approve":
            shown = (await swarm.detail(run)).reviews[-1]
            await swarm.approve(run, wire.Approve(review=shown.id, tree=shown.result_tree, by=USER))
        case "sweep":
            await swarm.sweep(wire.Sweep())
        case _:  # discard, restore, stop, undo
            await getattr(swarm, deed)(run, ACT)


@pytest.mark.parametrize("seed", range(2, LIVES + 2))
async def test_no_byte_is_lost_in_any_order_of_deeds(
    seed: int, cradle: Nursery, home: Home, repo: Path
) -> None:
    agents = {"writer": scripted([WRITE])}
    home.configure({"agents": agents, "sandbox": {"driver": "memory"}, "agent": "writer"})
    with Killed(cradle, World(home, repo)) as user:
        life = Life(user, seed)
        await life.live()
        user.stop()
    # A life in which nobody died and nothing was written would prove nothing.
    assert "killed" in life.told
    assert len(life.had) > 12
