"""Kills a supervisor at a named point, again and again starts another one, and carries a task to its end.

The points are read from the code, so a new step or fault is tested without anybody thinking of it.
"""

import ast
import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from app import wire
from app.client.client import Swarm
from app.domain.errors import NotNow, Unreachable
from app.domain.events import Event
from app.domain.run import RunState
from app.supervisor import workflows
from tests.support.actions import USER
from tests.support.invariants import BEGIN, World
from tests.support.nursery import Born, Nursery
from tests.support.patience import PATIENCE
from tests.support.scripts import Step, edit, scripted
from tests.support.writes import WRITES

T = TypeVar("T")

SUPERVISOR = Path(workflows.__file__).parent
ACT, HOSTS = "act:", "hosts:"
OPEN = ("PENDING", "ENQUEUED", "DELAYED")
CHECK = """for each in */starts-*.txt; do test "$(wc -l < "$each")" -eq 1 || exit 1; done"""
"""Each turn was started once. The marks survive any kill: the tree goes on to the next start."""


def begin(folder: str) -> Step:
    """The first deed of an agent: a mark for having been started in this turn."""
    command = f"mkdir -p {folder} && echo {BEGIN} >> {folder}/starts-$SWARM_TURN.txt"
    return {"run": command}


def careful(folder: str, *more: Step) -> dict[str, Any]:
    """An agent that works in that folder, and marks each time it is started."""
    write = edit(f"{folder}/greeting.txt", "hello\n")
    read = {"run": f"cat {folder}/greeting.txt"}
    return scripted([{"say": "I begin."}, begin(folder), *more, write, read, {"say": "I end."}])


def points() -> tuple[str, ...]:
    """Every point of the workflows at which the code allows itself to be killed, in the order of the files."""
    return tuple(each for each in _known() if not each.startswith((ACT, HOSTS)))


def acts() -> tuple[str, ...]:
    """The same of what people and agents ask for: answers, verdicts, the trash, and money."""
    return tuple(each for each in _known() if each.startswith(ACT))


def takeovers() -> tuple[str, ...]:
    """The same of what hosts do for each other: runs taken over, places given away."""
    return tuple(each for each in _known() if each.startswith(HOSTS))


def _known() -> tuple[str, ...]:
    return tuple(point for call in _calls() for point in _points_of(call))


def _calls() -> Iterator[ast.Call]:
    # In engine.py `step` makes its two points out of its name.
    first, not_here = SUPERVISOR / "workflows.py", SUPERVISOR / "engine.py"
    for file in [first, *sorted(set(SUPERVISOR.rglob("*.py")) - {first, not_here})]:
        tree = ast.parse(file.read_text())
        ours = {name for node in ast.walk(tree) for name in _from_engine(node)}
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id in ours:
                yield node


def _from_engine(node: ast.AST) -> Iterator[str]:
    """What makes points, if this imports it; other things may be called `step`, too."""
    makers = {"app.supervisor.engine": "step", "app.supervisor.faults": "fault"}
    if isinstance(node, ast.ImportFrom) and node.module in makers:
        for alias in node.names:
            if alias.name == makers[node.module]:
                assert alias.asname is None, f"{alias.name} goes by another name, and is not seen"
                yield alias.name


def _points_of(call: ast.Call) -> Iterator[str]:
    """The points of one call, if it is one that makes any."""
    assert isinstance(call.func, ast.Name)
    argument = call.args[0] if call.args else None
    match call.func.id, argument:
        case "step", ast.Constant(value=str(name)):
            yield from (f"before:{name}", f"after:{name}")
        case "fault", ast.Constant(value=str(name)):
            yield name
        case (("step" | "fault"), _):
            raise AssertionError(f"a point without a plain name: {ast.unparse(call)}")
        case _:
            return


@dataclass
class Killed:
    """One task of a user whose supervisor dies; nobody lifts a hand but to start it again."""

    cradle: Nursery
    world: World
    env: Mapping[str, str] = field(default_factory=dict)
    starts: int = 0
    born: Born | None = None
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def client(self) -> Swarm:
        """Whoever answers for this home now."""
        sockets = list(self.world.home.runtime.glob("swarm-*/api.sock"))
        return Swarm(sockets[0] if sockets else self.world.home.runtime / "none")

    def start(self) -> None:
        """Another supervisor, unless one lives."""
        if self.born is None or not self.born.lives:
            self.starts += 1
            self.born = self._stack.enter_context(
                self.cradle.supervisor(self.world.home, **self.env)
            )

    async def ask(self, question: Callable[[Swarm], Awaitable[T]], seconds: float = PATIENCE) -> T:
        """Ask until a supervisor answers; one that has died is followed by the next."""
        async with asyncio.timeout(seconds):
            while True:
                self.start()
                with contextlib.suppress(Unreachable):
                    return await question(self.client)
                await asyncio.sleep(0.03)

    async def submit(self, agent: str = "careful") -> str:
        """Give the task once, however often the answer is lost; the id of its run."""
        goal = f"Let {agent} say hello"
        body = wire.NewTask(goal=goal, agent=agent, repo=str(self.world.repo), submitter=USER)

        async def give(swarm: Swarm) -> str:
            known = [row.run.id for row in (await swarm.board()).rows if row.task.goal == goal]
            return known[0] if known else (await swarm.submit(body)).run.id

        return await self.ask(give)

    async def until(self, run: str, *states: RunState, seconds: float = PATIENCE) -> wire.RunDetail:
        """Wait until the run is in one of the states."""
        detail = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    detail = await self.ask(lambda swarm: swarm.detail(run))
                    if detail.row.run.state in states:
                        return detail
                    await asyncio.sleep(0.03)
        except TimeoutError:
            was = detail.row.run if detail else "silent"
            raise AssertionError(f"{run} never became {states}; it was {was}\n{self.log}") from None

    async def wait(self, there: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Wait until that is so, whatever dies meanwhile."""
        async with asyncio.timeout(seconds):
            while not there():
                self.start()
                await asyncio.sleep(0.05)

    async def approve(self, run: str) -> wire.RunDetail:
        """Approve what is shown, again if nobody heard it, until it has landed."""

        await self.until(run, RunState.IN_REVIEW, RunState.MERGING, RunState.MERGED)
        await self.ask(lambda swarm: approved(swarm, run))
        return await self.until(run, RunState.MERGED)

    async def whole(self) -> None:
        """One task, from goal to merge, until nothing is left to do for it."""
        await self.approve(await self.submit())
        await self.idle()

    async def answers(self, run: str) -> None:
        """Say yes to what the agent asks, again if nobody heard it."""
        shown = await self.until(run, RunState.WAITING)
        while shown.row.question is None:
            shown = await self.until(run, RunState.WAITING)
        asked = shown.row.question.id
        yes = wire.Answer(yes=True, by=USER)
        with contextlib.suppress(NotNow):  # It was heard.
            await self.ask(lambda swarm: swarm.answer(asked, yes))

    async def does(
        self, run: str, while_: RunState, deed: Callable[[Swarm], Awaitable[object]]
    ) -> None:
        """Say that while the run is in that state."""

        async def once(swarm: Swarm) -> None:
            if (await swarm.detail(run)).row.run.state == while_:
                await deed(swarm)

        await self.ask(once)

    async def events(self, run: str = "") -> list[Event]:
        async def read(swarm: Swarm) -> list[Event]:
            stream = swarm.events(run=run, follow=False)
            return [item async for item in stream if isinstance(item, Event)]

        return await self.ask(read)

    async def idle(self, seconds: float = PATIENCE) -> None:
        """Wait until no workflow has anything left to do."""
        async with asyncio.timeout(seconds):
            while True:
                await self.ask(lambda swarm: swarm.hello())
                if not any(row["status"] in OPEN for row in self.world.tables.workflows()):
                    return
                await asyncio.sleep(0.05)

    async def dies(self) -> None:
        """Wait until the one that lives has died."""
        assert self.born is not None
        while self.born.lives:
            await asyncio.sleep(0.03)

    def kill(self) -> None:
        """Without a warning."""
        if self.born is not None:
            self.born.end()

    def stop(self) -> None:
        """In peace."""
        if self.born is not None:
            self.born.end(signal.SIGTERM)

    def __enter__(self) -> "Killed":
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()

    @property
    def log(self) -> str:
        """What the supervisors said."""
        file = self.world.home.root / "supervisor.log"
        return file.read_text()[-4000:] if file.exists() else ""


async def approved(swarm: Swarm, run: str) -> None:
    """What is shown, unless it was heard."""
    shown = await swarm.detail(run)
    review = shown.reviews[-1]
    if shown.row.run.state == RunState.IN_REVIEW and review.verdict is None:
        said = wire.Approve(review=review.id, tree=review.result_tree, by=USER)
        await swarm.approve(run, said)


def spread(lives: int) -> list[tuple[str, ...]]:
    """All points, over so many lives: each supervisor of a life dies at another one."""
    known = points()
    return [known[first::lives] for first in range(lives)]


async def _whole(user: Killed) -> None:
    await user.whole()


async def survive(
    cradle: Nursery,
    world: World,
    *deadly: str,
    life: Callable[[Killed], Awaitable[None]] = _whole,
    writes: Collection[str] = (),
) -> World:
    """A task from goal to merge whose supervisors are killed at each of these points once; the last one rests.

    They are killed after each of these writes, too, where they come by; `unwritten` tells where they did not.
    """
    flag, still = world.home.root / "fired", world.home.root / "writes"
    env = {"SWARM_FAULT": " ".join(deadly), "SWARM_FAULT_FLAG": str(flag)} if deadly else {}
    still.write_text(" ".join(writes))
    with Killed(cradle, world, env | ({WRITES: str(still)} if writes else {})) as user:
        await life(user)
        user.stop()
    # A kill that never came would prove nothing.
    assert sorted(flag.read_text().split() if flag.exists() else []) == sorted(deadly)
    assert user.starts == len(deadly) + len(writes) - len(unwritten(world)) + 1, user.log
    return world


def unwritten(world: World) -> set[str]:
    """The places after whose write nobody died: the life of that world did not come by."""
    return set((world.home.root / "writes").read_text().split())


def configured(**more: Any) -> dict[str, Any]:
    """Settings with the careful agent and one check."""
    return {
        "agents": {"careful": careful("hello")},
        "checks": [CHECK],
        "sandbox": {"driver": "memory"},
    } | more
