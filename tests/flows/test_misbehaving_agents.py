"""Whatever stands where an agent's program should be: the run ends, says why, and nothing is left running."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import wire
from app.domain.run import RunState
from app.supervisor.ramp import PLACES, Ramp
from harnesses.events import ToolCall, Unreadable
from tests.support.world import World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

DATA = Path(__file__).parents[1] / "data" / "misbehaving"
HARNESSES = ("acp", "claude-code", "codex")
MISSING = "/no/such/agent"


def agent(harness: str, program: str) -> dict[str, Any]:
    command: Any = [program] if harness == "acp" else program
    return {
        "harness": harness,
        "model": "gpt-5.5",
        "image": "base",
        "settings": {"command": command},
    }


AGENTS = {
    f"{harness}-{case}": agent(harness, str(DATA / f"{case}.sh") if case != "missing" else MISSING)
    for harness in HARNESSES
    for case in ("garbage", "silent", "deaf", "foreign", "leaving", "missing")
}
KEY = f"file:{DATA / 'key'}"
SETTINGS = {
    "approvals": "autonomous",
    "sandbox": {"driver": "local"},
    "gateway": {
        "upstreams": {
            "anthropic": {"key": KEY, "url": "http://127.0.0.1:9"},
            "openai": {"key": KEY, "url": "http://127.0.0.1:9"},
        },
        "unknown_model": "assume",
    },
}
each_harness = pytest.mark.parametrize("harness", HARNESSES)


@pytest.fixture(scope="module", autouse=True)
def endless_silence() -> Iterator[None]:
    """No place among those that start is free again only because its agent has been silent for long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ramp.__init__, "__defaults__", (PLACES, 3600.0))
        yield


async def ran(world: World, name: str, *states: RunState) -> wire.RunDetail:
    user = world.user()
    return await user.until(await user.submit(agent=name), *states)


@story
async def garbage(world: World) -> dict[str, wire.RunDetail]:
    return {each: await ran(world, f"{each}-garbage", RunState.FAILED) for each in HARNESSES}


@each_harness
async def test_garbage_and_no_result_is_a_failure(
    garbage: dict[str, wire.RunDetail], harness: str
) -> None:
    assert garbage[harness].row.run.state == RunState.FAILED
    assert garbage[harness].row.run.reason


@each_harness
async def test_what_is_no_protocol_is_kept_short_and_nothing_is_made_of_it(
    world: World, garbage: dict[str, wire.RunDetail], harness: str
) -> None:
    events = await world.at(garbage[harness]).events(garbage[harness].row.run.id)
    unread = [event.body for event in events if isinstance(event.body, Unreadable)]
    assert unread
    assert max(len(each.line) for each in unread) < 1_000
    assert not any(isinstance(event.body, ToolCall) for event in events)


@each_harness
async def test_an_end_without_a_word_is_a_failure(world: World, harness: str) -> None:
    detail = await ran(world, f"{harness}-silent", RunState.FAILED)
    assert detail.row.run.reason


@each_harness
async def test_a_program_that_is_not_there_is_named(world: World, harness: str) -> None:
    detail = await ran(world, f"{harness}-missing", RunState.FAILED)
    assert MISSING in detail.row.run.reason


@each_harness
async def test_a_version_that_is_not_understood_is_told_in_its_words(
    world: World, harness: str
) -> None:
    detail = await ran(world, f"{harness}-foreign", RunState.FAILED)
    said = {"acp": "version 99", "claude-code": "no such flag", "codex": "no such method"}
    assert said[harness] in detail.row.run.reason


@story
async def deaf(world: World) -> dict[str, str]:
    """The runs whose agents are stopped, all at once: each is given its time to end by itself."""

    async def stopped(harness: str) -> str:
        user = world.user()
        run = await user.submit(agent=f"{harness}-deaf")
        await user.until(run, RunState.WORKING)
        await user.stop(run)
        await user.until(run, RunState.CANCELLED)
        await user.told(run, RunState.CANCELLED)
        return run

    return dict(zip(HARNESSES, await asyncio.gather(*map(stopped, HARNESSES)), strict=True))


@each_harness
async def test_one_that_does_not_listen_is_stopped_with_all_it_started(
    deaf: dict[str, str], harness: str
) -> None:
    assert not living(deaf[harness])


@each_harness
async def test_one_that_forks_and_leaves_has_failed_and_nothing_of_it_lives_on(
    world: World, harness: str
) -> None:
    detail = await ran(world, f"{harness}-leaving", RunState.FAILED)
    assert detail.row.run.reason
    await world.at(detail).told(detail.row.run.id, RunState.FAILED)
    assert not living(detail.row.run.id)


def living(run: str) -> list[Path]:
    """Processes of the run's sandbox."""
    return [pid for pid in Path("/proc").iterdir() if pid.name.isdigit() and of_run(pid, run)]


def of_run(process: Path, run: str) -> bool:
    """Whether a process has its home in the run's sandbox."""
    try:
        return run.encode() in (process / "environ").read_bytes()
    except OSError:
        return False
