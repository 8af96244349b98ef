"""The Docker engine does not answer for a while, and its containers live on; or an agent's way out dies."""

import asyncio

import pytest
from docker import APIClient

from app.domain.events import Event, TurnStarted
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal
from tests.support.actions import SwarmActions
from tests.support.engine_door import door
from tests.support.home import Home, answering, supervisor_process
from tests.support.images import test_image
from tests.support.patience import PATIENCE
from tests.support.repos import make_repository
from tests.support.scripts import edit, scripted, tokens, wait_for
from tests.support.world import paid_at

pytestmark = pytest.mark.docker

AT_WORK = [edit("note.txt", "noted\n"), wait_for("/never")]


async def test_a_run_that_is_resumed_afterwards_has_one_program_at_work(
    home: Home, engine: APIClient
) -> None:
    agent = scripted(AT_WORK, AT_WORK)
    docker = {"driver": "docker", "image": test_image(), "patience": "1s"}
    home.configure({"agent": "slow", "agents": {"slow": agent}, "sandbox": docker})
    with door() as way:
        async with supervisor_process(home, DOCKER_HOST=way.address):
            client = await answering(home)
            user = SwarmActions(client, make_repository(home.root / "project"))
            run = await user.submit()
            await user.wrote(run, "note.txt")
            way.shut()
            failed = await user.until(run, RunState.FAILED)
            assert "Docker is not running" in failed.row.run.reason
            said = (await client.why(run)).words
            assert not [each for each in said if "is running" in each]
            way.open()
            assert [name for name in _running(engine, run) if "turn-1" in name]
            await user.resume(run)
            async with asyncio.timeout(PATIENCE):
                while not any("turn-2" in name for name in _running(engine, run)):
                    await asyncio.sleep(0.05)
            assert len(_running(engine, run)) == 1
            await user.stop(run)
            await user.until(run, RunState.CANCELLED)


async def test_a_run_goes_on_by_itself_once_the_engine_answers_again(
    home: Home, engine: APIClient
) -> None:
    agent = scripted([edit("note.txt", "noted\n"), wait_for("/tmp/go"), edit("more.txt", "more\n")])
    docker = {"driver": "docker", "image": test_image()}
    home.configure({"agent": "slow", "agents": {"slow": agent}, "sandbox": docker})
    with door() as way:
        async with supervisor_process(home, DOCKER_HOST=way.address):
            user = SwarmActions(await answering(home), make_repository(home.root / "project"))
            run = await user.submit()
            await user.wrote(run, "note.txt")
            way.shut()
            await _said(user, run, "it waits, and goes on by itself")
            made = engine.exec_create(f"swarm-{run}-turn-1", ["touch", "/tmp/go"])
            engine.exec_start(made["Id"])
            way.open()
            await user.until(run, RunState.IN_REVIEW)
            said = [event.body for event in await user.events(run)]
            assert [body.turn for body in said if isinstance(body, TurnStarted)] == [1]
            assert await user.file(run, "more.txt") == "more"


async def _said(user: SwarmActions, run: str, words: str) -> None:
    """Wait until the run's log has it."""
    async with asyncio.timeout(PATIENCE):
        async for item in user.client.follow(run=run):
            if isinstance(item, Event) and words in getattr(item.body, "text", ""):
                return


async def test_an_agent_whose_way_out_died_goes_on_by_itself(home: Home, engine: APIClient) -> None:
    calls = [edit("note.txt", "noted\n"), {"sleep": 2}, tokens(10, 10)]
    docker = {"driver": "docker", "image": test_image()}
    async with Rehearsal() as provider:
        home.configure(
            {
                "agent": "caller",
                "agents": {"caller": scripted(calls, [edit("more.txt", "more\n"), tokens(10, 10)])},
                "sandbox": docker,
                "gateway": paid_at(provider.url),
            }
        )
        async with supervisor_process(home):
            client = await answering(home)
            user = SwarmActions(client, make_repository(home.root / "project"))
            run = await user.submit()
            await user.wrote(run, "note.txt")
            engine.kill(f"swarm-{run}-side")
            await user.until(run, RunState.IN_REVIEW)
            said = [event.body for event in await user.events(run)]
            assert [body.turn for body in said if isinstance(body, TurnStarted)] == [1, 2]
            assert await user.file(run, "more.txt") == "more"


def _running(engine: APIClient, run: str) -> list[str]:
    """The boxes of the run in which a program runs."""
    named = [each["Names"][0] for each in engine.containers()]
    return [name for name in named if run in name and "turn-" in name]
