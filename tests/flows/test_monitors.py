"""A run that looks as if something were wrong with it: told, halted until a person decides, or ended."""

import asyncio

import pytest

from app.domain.events import Flagged, Snapshotted
from app.domain.review import Approval
from app.domain.run import RunState
from tests.support.actions import SwarmActions
from tests.support.scripts import edit, scripted, wait_for
from tests.support.world import Settings, World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOK = {"run": "cat README.md"}
AGENTS = {
    "looper": scripted(
        [*[LOOK] * 4, edit("a.txt", "1\n"), wait_for("../go"), edit("b.txt", "2\n")]
    ),
    "thrasher": scripted(
        [
            step
            for number, text in enumerate("xyxyx", start=1)
            for step in (edit("a.txt", text), wait_for(f"../saved-{number}", str(number)))
        ]
    ),
    "sleeper": scripted([edit("a.txt", "1\n"), wait_for("../wake"), edit("b.txt", "2\n")]),
}
SETTINGS: Settings = {
    "monitors": {
        "loop": {"do": "pause"},
        "stall": {"after": "1s", "tool": "1s"},
        "thrash": {"do": "stop", "times": 2},
    }
}


async def flagged(user: SwarmActions, run: str, monitor: str) -> list[Flagged]:
    bodies = [event.body for event in await user.events(run)]
    return [body for body in bodies if isinstance(body, Flagged) and body.monitor == monitor]


async def saved(user: SwarmActions, run: str, times: int) -> None:
    """Wait until that many snapshots were taken, or the run has ended."""
    while True:
        bodies = [event.body for event in await user.events(run)]
        ended = (await user.client.detail(run)).row.run.state == RunState.CANCELLED
        if ended or sum(isinstance(body, Snapshotted) for body in bodies) >= times:
            return
        await asyncio.sleep(0.05)


def touch(world: World, run: str, word: str) -> None:
    (world.home.state / "sandboxes" / run / word).touch()


@story
async def halted(world: World) -> tuple[SwarmActions, str, Approval]:
    """A looper, halted."""
    user = world.user()
    run = await user.submit(agent="looper")
    return user, run, await user.question(run)


async def test_a_loop_halts_the_run_and_says_what_was_repeated(
    halted: tuple[SwarmActions, str, Approval],
) -> None:
    _, _, question = halted
    assert question.title == "May it go on? It looks like a loop"
    assert "gave the same result 4 times in a row (`monitors.loop`)" in question.reason


async def test_why_names_what_was_found(
    halted: tuple[SwarmActions, str, Approval],
) -> None:
    user, run, _ = halted
    why = await user.client.why(run)
    assert any(line.startswith("loop: 'Run: cat README.md' gave") for line in why.words)


async def test_a_yes_lets_it_go_on_where_it_was(
    world: World, halted: tuple[SwarmActions, str, Approval]
) -> None:
    user, run, question = halted
    await user.answer(question, yes=True)
    touch(world, run, "go")
    shown = await user.until(run, RunState.IN_REVIEW)
    assert shown.row.run.files == 2
    assert len(await flagged(user, run, "loop")) == 1


async def test_a_no_ends_it_and_keeps_what_it_did(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="looper")
    await user.answer(await user.question(run), yes=False)
    ended = await user.until(run, RunState.CANCELLED)
    assert ended.row.run.reason.startswith("stopped by ada: loop, ")
    assert await user.file(run, "a.txt") == "1"


async def test_a_silence_is_told_and_the_run_goes_on(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="sleeper")
    await user.until(run, RunState.WORKING)
    while not (found := await flagged(user, run, "stall")):
        await asyncio.sleep(0.05)
    assert found[0].reaction == "notify"
    touch(world, run, "wake")
    assert (await user.until(run, RunState.IN_REVIEW)).row.run.files == 2


async def test_one_that_only_goes_to_and_fro_is_ended_where_that_is_wanted(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="thrasher")
    for number in range(1, 5):
        await saved(user, run, number)
        touch(world, run, f"saved-{number}")
    ended = await user.until(run, RunState.CANCELLED)
    assert ended.row.run.reason == (
        "stopped by swarm: thrash, its files came back to what they had been 2 times"
    )
