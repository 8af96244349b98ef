"""Supervisors die at bad moments, or are asked to go: agents go on, and nothing is lost or done twice."""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web

from app import wire
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal
from tests.support.actions import USER
from tests.support.home import Home
from tests.support.invariants import World
from tests.support.kills import Killed, careful, configured
from tests.support.nursery import Nursery, nursery
from tests.support.patience import PATIENCE
from tests.support.scripts import ask, edit, tokens, wait_for

KILLS = 7
NAMES = ("ada", "bob", "cid")


@pytest.fixture(scope="module")
def cradle() -> Iterator[Nursery]:
    with nursery() as cradle:
        yield cradle


async def _kill_now_and_then(user: Killed, chance: random.Random) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.3, 2.5))
        user.kill()


async def test_three_tasks_survive_kills_at_any_moment(
    cradle: Nursery, home: Home, repo: Path
) -> None:
    home.configure(configured(agents={name: careful(name) for name in NAMES}))
    world = World(home, repo)
    one_at_a_time = asyncio.Lock()
    with Killed(cradle, world) as user:

        async def whole(agent: str) -> None:
            run = await user.submit(agent)
            await user.until(run, RunState.IN_REVIEW)
            async with one_at_a_time:  # Whoever lands second looks at what landed first.
                await user.approve(run)

        killing = asyncio.create_task(_kill_now_and_then(user, random.Random(20261120)))
        await asyncio.gather(*(whole(name) for name in NAMES))
        await killing
        await user.idle()
        user.stop()
    assert world.broken() == []
    assert user.starts == KILLS + 1


class SlowAtFirst(Rehearsal):
    """A model endpoint that never answers its first call."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if not self.asked.is_set():
            self.asked.set()
            await asyncio.Event().wait()
        return await super()._handle(request)


@pytest.fixture
async def slow() -> AsyncIterator[SlowAtFirst]:
    endpoint = SlowAtFirst()
    async with endpoint:
        yield endpoint


async def test_a_model_call_cut_off_by_a_kill_is_charged_in_full_once_and_the_run_goes_on(
    cradle: Nursery, home: Home, repo: Path, slow: SlowAtFirst
) -> None:
    upstreams = {"anthropic": {"url": slow.url, "key": ""}}
    prices = {"scripted": {"input": "1", "output": "10"}}
    home.configure(
        configured(
            agents={"careful": careful("hello", tokens(10_000, 1_000))},
            gateway={"upstreams": upstreams, "prices": prices},
        )
    )
    world = World(home, repo)
    with Killed(cradle, world) as user:
        run = await user.submit()
        async with asyncio.timeout(PATIENCE):
            await slow.asked.wait()
        user.kill()
        await user.approve(run)
        await user.idle()
        user.stop()
    charged = world.tables.state(
        "SELECT s.known, s.micros, h.micros AS held FROM spend s JOIN hold h ON h.id = s.hold ORDER BY s.at"
    )
    assert [row["known"] for row in charged] == ["held", "metered"]
    assert charged[0]["micros"] == charged[0]["held"] > charged[1]["micros"]
    assert world.broken() == []


async def test_nobody_is_asked_what_a_stopped_agent_wanted_though_swarm_dies_as_its_turn_ends(
    cradle: Nursery, home: Home, repo: Path
) -> None:
    asks = ask("May I?", tool="fetch", yes=[edit("hello/answer.txt", "yes\n")])
    home.configure(configured(agents={"careful": careful("hello", asks)}))
    env = {"SWARM_FAULT": "mid:end", "SWARM_FAULT_FLAG": str(home.root / "fired")}
    with Killed(cradle, World(home, repo), env) as user:
        run = await user.submit()
        await user.until(run, RunState.WAITING)
        await user.ask(lambda swarm: swarm.stop(run, wire.Act(by=USER)))
        await user.until(run, RunState.CANCELLED)
        open_questions = await user.ask(lambda swarm: swarm.inbox())
        user.stop()
    assert user.starts == 2
    assert open_questions == ()


async def test_an_agent_goes_on_when_swarm_is_told_to_go_and_the_next_one_attaches_to_it(
    cradle: Nursery, home: Home, repo: Path
) -> None:
    gate = home.root / "go"
    home.configure(configured(agents={"careful": careful("hello", wait_for(str(gate)))}))
    world = World(home, repo)
    with Killed(cradle, world) as user:
        run = await user.submit()
        await user.until(run, RunState.WORKING)
        log = home.state / "sandboxes" / run / "run" / "turn-1" / "out"
        while str(gate) not in log.read_text():
            await asyncio.sleep(0.05)
        down = await asyncio.to_thread(home.swarm, "daemon", "down", cwd=repo)
        assert down.returncode == 0, down.stderr
        assert user.born
        assert not user.born.lives
        gate.touch()  # Nobody is there to see the agent end its turn.
        while "turn_ended" not in log.read_text():
            await asyncio.sleep(0.05)
        await user.approve(run)
        await user.idle()
        user.stop()
    assert user.starts == 2
    assert world.broken() == []


async def test_a_second_supervisor_of_one_state_directory_says_why_it_cannot_start(
    cradle: Nursery, home: Home, repo: Path
) -> None:
    home.configure(configured())
    with Killed(cradle, World(home, repo)) as user:
        hello = await user.ask(lambda swarm: swarm.hello())
        second = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "app.daemon", "--state", str(home.state)],
            env=home.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        still = await user.ask(lambda swarm: swarm.hello())
    assert second.returncode == 5
    assert f"another supervisor (process {hello.pid}) has {home.state}" in second.stderr
    assert "swarm daemon down" in second.stderr
    assert (still.pid, user.starts) == (hello.pid, 1)


async def test_an_installation_whose_files_were_lost_finds_its_own_again(
    cradle: Nursery, home: Home, repo: Path
) -> None:
    home.configure(configured())
    files = [home.state / name for name in ("installation", "host")]
    with Killed(cradle, World(home, repo)) as user:
        await user.approve(await user.submit())
        user.kill()
        kept = [file.read_text() for file in files]
        for file in files:
            file.unlink()
        await user.ask(lambda swarm: swarm.hello())
        assert [file.read_text() for file in files] == kept
