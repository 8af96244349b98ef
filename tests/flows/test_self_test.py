"""`swarm agents test NAME` gives an agent one small task for real, and says step by step how far it came."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from app.gateway.rehearsal import Rehearsal
from tests.support.patience import PATIENCE
from tests.support.scripts import ask, edit, scripted, tokens
from tests.support.world import Settings, World, paid_at, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRITES = edit("self-test.txt", "hello\n")
AGENTS = {
    "sound": scripted([tokens(1_000, 100), ask("Write it?", tool="edit", yes=[WRITES])]),
    "idle": scripted([{"say": "I would rather not."}]),
    "broken": scripted([{"fail": "My legs are gone."}], [{"fail": "My legs are gone."}]),
    "mute": {"harness": "no-such-protocol", "model": "m", "image": "base"},
    "stuck": scripted([WRITES, {"run": "sleep 600"}]),
    "dear": scripted([tokens(1_000, 100), WRITES]),
}


@pytest.fixture(scope="module")
def settings(endpoint: Rehearsal) -> Settings:
    return {"approvals": "cautious", "gateway": paid_at(endpoint.url)}


async def tried(world: World, name: str, *words: str) -> CompletedProcess[str]:
    home = world.home
    line = ("agents", "test", name, "--seconds", str(int(PATIENCE)), *words)
    return await asyncio.to_thread(home.swarm, *line, cwd=home.root)


def steps(done: CompletedProcess[str]) -> Mapping[str, Any]:
    """The steps of what was printed, by name."""
    return {step["name"]: step for step in json.loads(done.stdout)["steps"]}


def failing(done: CompletedProcess[str]) -> Mapping[str, Any]:
    """The one step at which it ended; each after that one which did not work is not judged."""
    (step,) = (step for step in steps(done).values() if step["ok"] is False)
    return dict(step)


@story
async def sound(world: World) -> CompletedProcess[str]:
    return await tried(world, "sound", "--json")


async def test_what_it_may_cost_is_said_first(sound: CompletedProcess[str]) -> None:
    assert sound.stderr.splitlines()[0].startswith("sound gets one small task, and may spend $1.00")


async def test_each_step_of_one_that_works_is_said_to_work(sound: CompletedProcess[str]) -> None:
    assert sound.returncode == 0, sound.stdout
    assert {name: step["ok"] for name, step in steps(sound).items()} == dict.fromkeys(
        ("ready", "sandbox", "start", "model", "usage", "edit", "end"), True
    )


async def test_its_usage_is_what_the_provider_billed(sound: CompletedProcess[str]) -> None:
    assert steps(sound)["usage"]["found"] == "1,000 tokens in, 100 out, $0.0020"
    assert json.loads(sound.stdout)["micros"] == 2_000


async def test_its_question_about_a_tool_was_answered(sound: CompletedProcess[str]) -> None:
    assert "asked once" in steps(sound)["edit"]["found"]


async def test_it_worked_in_a_repository_of_swarms_own_and_lies_in_the_trash(
    world: World, sound: CompletedProcess[str]
) -> None:
    run = json.loads(sound.stdout)["run"]
    found = [row for row in await world.client.trash() if row.run.id == run]
    assert [Path(row.task.repo) for row in found] == [world.home.state / "self-test"]


async def test_one_that_writes_nothing_fails_at_the_edit(world: World) -> None:
    done = await tried(world, "idle", "--json")
    assert done.returncode == 1
    assert failing(done)["name"] == "edit"


async def test_one_that_breaks_is_told_in_its_words_and_its_log_is_still_there(
    world: World,
) -> None:
    done = await tried(world, "broken", "--json")
    assert "My legs are gone." in failing(done)["found"]
    run = json.loads(done.stdout)["run"]
    logs = await asyncio.to_thread(world.home.swarm, "logs", run, cwd=world.home.root)
    assert "My legs are gone." in logs.stdout


async def test_one_that_cannot_be_given_work_says_what_it_lacks(world: World) -> None:
    done = await tried(world, "mute")
    assert done.returncode == 1
    assert "no harness is called `no-such-protocol`" in done.stdout
    assert "mute does not work." in done.stdout


async def test_one_that_does_not_end_is_stopped(world: World) -> None:
    done = await tried(world, "stuck", "--json", "--seconds", "3")
    step = failing(done)
    assert (step["name"], step["found"]) == ("end", "it was not done after 3 seconds")
    assert not [row for row in (await world.client.board()).rows if row.run.agent == "stuck"]


async def test_a_budget_that_is_too_small_is_named(world: World) -> None:
    done = await tried(world, "dear", "--json", "--budget", "0.0001")
    assert failing(done)["name"] == "model"
    assert "--budget" in failing(done)["fix"]


async def test_an_agent_nobody_knows_is_refused_with_the_nearest(world: World) -> None:
    done = await tried(world, "sond")
    assert "did you mean `sound`?" in done.stderr
