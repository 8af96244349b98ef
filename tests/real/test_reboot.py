"""An agent's box runs out of memory, then the whole machine goes down: its own conversation goes on both times.

The boot brings swarm back before Docker, so that people have to say `swarm resume --all`.
"""

import asyncio
import contextlib
import json
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from subprocess import CompletedProcess
from typing import TypeVar

import pytest
from docker import APIClient
from docker.errors import APIError
from docker.types import Mount
from docker.utils import kwargs_from_env

from app.client.client import Swarm
from app.domain.events import Body, Note, TurnStarted
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal, Seen
from app.gateway.rehearsal_script import Fault, Script, Turn, cue
from harnesses.events import SessionStarted
from sandboxes.docker_parts import volume_name
from tests.real.conftest import REAL_KEY
from tests.real.plans import AGENTS, USAGE, runs, writes
from tests.real.stories import WORDS, Runs
from tests.support.actions import SwarmActions
from tests.support.agents_image import agents_image
from tests.support.engine_door import Door, door
from tests.support.home import Home, answering, home_at
from tests.support.images import require_docker
from tests.support.leftovers import boxes_of
from tests.support.nursery import Nursery, nursery
from tests.support.patience import PATIENCE
from tests.support.repos import make_repository
from tests.support.world import story

pytestmark = [
    pytest.mark.docker,
    pytest.mark.real,
    pytest.mark.asyncio(loop_scope="module"),
]
T = TypeVar("T")
_EAT = """
import glob, os, signal
for each in glob.glob("/proc/[0-9]*/oom_score_adj"):
    pid = int(each.split("/")[2])
    if pid not in (1, os.getpid()):
        open(each, "w").write("1000")
        os.kill(pid, signal.SIGSTOP)
eaten = []
while True:
    eaten.append(b"x" * 2**26)
"""
# What stands still brings none of its pages back, or the last megabytes could take minutes.
EATS = f"test -e eaten.txt || {{ echo once > eaten.txt; python3 -c '{_EAT}'; }}"
"""Uses up all memory, once, and has the kernel take the agent for it."""


def plan(agent: str, hang: Fault | None = None) -> tuple[Turn, ...]:
    """Write, run out of memory, be done, or wait for the rest of a reply."""
    return (
        Turn(say="I write.", use=(writes(agent, "note.txt", "noted"),), usage=USAGE),
        Turn(say="I try it.", use=(runs(agent, EATS),), usage=USAGE),
        Turn(say="It is done.", usage=USAGE, fault=hang),
    )


SCRIPT = Script(plans={agent: plan(agent) for agent in AGENTS})
HANGING = Script(plans={agent: plan(agent, Fault(kind="hang")) for agent in AGENTS})


@dataclass
class Told:
    """What there was to see, of each agent and in all."""

    booted: Runs
    """Each run when swarm was there again, and Docker was not."""
    resumed: CompletedProcess[str]
    done: Runs
    calls: list[Seen]
    """Of their models, until then."""
    forgot: Runs
    """Sent back to work, with all that the agent keeps of its conversations gone."""
    said: dict[str, list[Body]]
    """All events."""


@story
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    require_docker()
    root = tmp_path_factory.mktemp("reboot")
    with home_at(root) as home, nursery() as cradle, door() as engine:
        async with Rehearsal(HANGING, key=REAL_KEY) as provider:
            _configure(home, provider.url)
            yield await _told(home, cradle, engine, provider)


def _configure(home: Home, url: str) -> None:
    home.configure(
        {
            "sandbox": {
                "driver": "docker",
                "image": agents_image(),
                "memory": "1g",
                "patience": "1s",
            },
            "budget": {"run": "9.00"},
            "gateway": {
                "upstreams": {
                    "anthropic": {"url": url, "key": "env:ANTHROPIC_API_KEY"},
                    "openai": {"url": f"{url}/v1", "key": "env:OPENAI_API_KEY"},
                }
            },
        }
    )


async def _told(home: Home, cradle: Nursery, engine: Door, provider: Rehearsal) -> Told:
    keys = dict.fromkeys(("ANTHROPIC_API_KEY", "OPENAI_API_KEY"), REAL_KEY)
    env = {**keys, "DOCKER_HOST": engine.address}
    with contextlib.ExitStack() as lives:
        before = lives.enter_context(cradle.supervisor(home, **env))
        client = await answering(home)
        ids = {each: await _submitted(home, client, each) for each in AGENTS}
        await _all_hang(provider)
        before.end()
        provider.script = SCRIPT
        _power_off(home, engine)
        lives.enter_context(cradle.supervisor(home, **env))
        user = SwarmActions(await answering(home), home.root)
        booted = {each: await user.until(run, RunState.FAILED) for each, run in ids.items()}
        engine.open()
        resumed = await asyncio.to_thread(home.swarm, "resume", "--all", cwd=home.root)
        done = {each: await user.until(run, RunState.IN_REVIEW) for each, run in ids.items()}
        calls = list(provider.calls)
        for run in ids.values():
            forget(run)
            await user.changes(run, WORDS)
        forgot = {each: await user.until(run, RunState.IN_REVIEW) for each, run in ids.items()}
        said = {each: [e.body for e in await user.events(run)] for each, run in ids.items()}
        return Told(booted, resumed, done, calls, forgot, said)


async def _submitted(home: Home, client: Swarm, agent: str) -> str:
    user = SwarmActions(client, make_repository(home.root / f"project-{agent}"))
    return await user.submit(f"Write [[plan:{agent}]]", agent=agent)


async def _all_hang(provider: Rehearsal) -> None:
    """Wait until every agent waits for the rest of a reply."""
    waited = {f"{agent} 2" for agent in AGENTS}
    deadline = time.monotonic() + PATIENCE
    while not waited <= cues(provider.calls).keys():
        assert time.monotonic() < deadline, cues(provider.calls)
        await asyncio.sleep(0.05)


def _power_off(home: Home, engine: Door) -> None:
    """The supervisor is dead already: with it goes all else of this user that runs, and what is not on a disk."""
    engine.shut()
    with contextlib.closing(APIClient(version="auto", **kwargs_from_env())) as api:
        for name in boxes_of(home.state)[0]:
            with contextlib.suppress(APIError):  # It had ended.
                api.kill(name.lstrip("/"))
    for each in home.runtime.iterdir():
        shutil.rmtree(each)


def forget(run: str) -> None:
    """What the agent keeps between its turns is gone, as after a power failure that took files along."""
    kept = Mount("/state", volume_name(run, "state"))
    with contextlib.closing(APIClient(version="auto", **kwargs_from_env())) as api:
        clears = ("find", "/state", "-mindepth", "1", "-delete")
        mounted = api.create_host_config(mounts=[kept], network_mode="none")
        made = api.create_container(agents_image(), [*clears], user="0", host_config=mounted)
        try:
            api.start(made)
            assert api.wait(made)["StatusCode"] == 0
        finally:
            api.remove_container(made, force=True)


def agent_of(call: Seen) -> str:
    """Whose model it was: each speaks a dialect of its own."""
    paths = {"/v1/messages": "claude-code", "/v1/responses": "codex"}
    return paths.get(call.path.partition("?")[0], "opencode")


def cues(calls: list[Seen]) -> Counter[str]:
    """How often each reply of the plans was begun."""
    return Counter(cue(SCRIPT, call.body).name for call in calls if call.body.get("tools"))


each_agent = pytest.mark.parametrize("agent", AGENTS)


def of(told: Told, agent: str, kind: type[T]) -> list[T]:
    """What was said of that kind."""
    return [body for body in told.said[agent] if isinstance(body, kind)]


def notes(told: Told, agent: str) -> str:
    return "\n".join(note.text for note in of(told, agent, Note))


@each_agent
async def test_out_of_memory_it_is_told_so_and_goes_on_in_its_conversation(
    told: Told, agent: str
) -> None:
    assert "out of memory: its sandbox may use 1g" in notes(told, agent)
    assert "turn 2 goes on in the agent's own conversation" in notes(told, agent)


@each_agent
async def test_after_a_boot_without_docker_the_run_says_what_is_missing(
    told: Told, agent: str
) -> None:
    assert "Docker is not running" in told.booted[agent].row.run.reason


@each_agent
async def test_all_of_them_are_resumed_by_one_word(told: Told, agent: str) -> None:
    assert told.resumed.returncode == 0, told.resumed.stderr
    assert f"{told.booted[agent].row.run.id} queued" in told.resumed.stdout


@each_agent
async def test_resumed_it_goes_on_in_its_conversation_and_the_work_is_there(
    told: Told, agent: str
) -> None:
    assert "turn 3 goes on in the agent's own conversation" in notes(told, agent)
    opened = [each.conversation for each in of(told, agent, SessionStarted)]
    assert len(set(opened[:3])) == 1
    assert told.done[agent].row.run.files == 2


@each_agent
async def test_each_turn_is_started_once(told: Told, agent: str) -> None:
    assert [turn.turn for turn in of(told, agent, TurnStarted)] == [1, 2, 3, 4, 5]


@each_agent
async def test_every_call_is_paid_once_and_what_was_recorded_is_not_bought_again(
    told: Told, agent: str
) -> None:
    mine = [json.dumps(call.body) for call in told.calls if agent_of(call) == agent]
    assert told.done[agent].spend.calls == len(mine)
    by_tools = [body for body in mine if '"tools": [{' in body]
    assert len([body for body in by_tools if "noted" not in body]) == 1


@each_agent
async def test_what_it_cannot_open_any_more_it_begins_anew_with_all_that_is_known(
    told: Told, agent: str
) -> None:
    assert "turn 5 begins a new conversation: its own could not be opened" in notes(told, agent)
    prompt = of(told, agent, TurnStarted)[-1].prompt
    assert WORDS in prompt
    assert f"The task was: Write [[plan:{agent}]]" in prompt
    assert f"Run {told.done[agent].row.run.id}, by {agent}" in prompt
