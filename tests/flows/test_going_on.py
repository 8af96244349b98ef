"""An agent whose program was killed gets another turn, in its conversation if it has one; a person is told."""

from pathlib import Path

import pytest

from app.domain.events import Note, TurnStarted
from app.domain.run import RunState
from tests.support.actions import SwarmActions
from tests.support.scripts import edit, scripted
from tests.support.world import World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

DATA = Path(__file__).parents[1] / "data" / "misbehaving"
GOAL = "Write a note about the sea"
AGENTS = {
    "fragile": scripted(
        [edit("first.txt", "1\n"), {"crash": {"signal": "KILL"}}], [edit("second.txt", "2\n")]
    ),
    "forgetful": scripted([{"say": "It is done."}, edit("note.txt", "noted\n")]),
    "mute": {
        "harness": "claude-code",
        "model": "gpt-5.5",
        "image": "base",
        "settings": {"command": str(DATA / "killed.sh")},
    },
}
SETTINGS = {
    "sandbox": {"driver": "local"},
    "gateway": {
        "upstreams": {"anthropic": {"key": f"file:{DATA / 'key'}", "url": "http://127.0.0.1:9"}},
        "unknown_model": "assume",
    },
}


@story
async def resumed(world: World) -> tuple[list[str], list[str]]:
    """Of an agent that had begun a conversation: its prompts, and what the log notes."""
    return await told(world, "fragile", RunState.IN_REVIEW)


@story
async def begun_anew(world: World) -> tuple[list[str], list[str]]:
    """Of an agent that was killed before it had said anything."""
    return await told(world, "mute", RunState.FAILED)


@story
async def forgotten(world: World) -> tuple[list[str], list[str]]:
    """Of an agent whose conversation got lost before it was sent back to work."""
    user = world.user()
    run = await user.submit(GOAL, agent="forgetful")
    await user.review(run)
    for kept in (world.home.state / "sandboxes" / run).rglob("scripted/*.jsonl"):
        kept.unlink()
    await user.changes(run, "Make it longer")
    await user.review(run)
    return await read(user, run)


async def told(world: World, agent: str, end: RunState) -> tuple[list[str], list[str]]:
    user = world.user()
    run = await user.submit(GOAL, agent=agent)
    await user.until(run, end)
    return await read(user, run)


async def read(user: SwarmActions, run: str) -> tuple[list[str], list[str]]:
    bodies = [event.body for event in await user.events(run)]
    prompts = [body.prompt for body in bodies if isinstance(body, TurnStarted)]
    return prompts, [body.text for body in bodies if isinstance(body, Note)]


async def test_it_goes_on_in_its_conversation_and_that_is_told(
    resumed: tuple[list[str], list[str]],
) -> None:
    prompts, notes = resumed
    assert len(prompts) == 2
    assert "turn 2 goes on in the agent's own conversation" in notes


async def test_without_a_conversation_a_new_one_is_begun_and_that_is_told(
    begun_anew: tuple[list[str], list[str]],
) -> None:
    _prompts, notes = begun_anew
    assert (
        "turn 2 begins a new conversation: there is none to go on with. The agent is given the task "
        "again, with what is known of its work, and the files are as they were left" in notes
    )


async def test_in_a_new_conversation_it_is_told_the_task(
    begun_anew: tuple[list[str], list[str]],
) -> None:
    prompts, _notes = begun_anew
    assert len(prompts) > 1
    assert all(GOAL in prompt for prompt in prompts)


async def test_when_its_conversation_cannot_be_opened_another_is_begun_and_that_is_told(
    forgotten: tuple[list[str], list[str]],
) -> None:
    _prompts, notes = forgotten
    assert any("turn 2 goes on in the agent's own conversation" in note for note in notes)
    assert any("turn 3 begins a new conversation: its own could not be opened" in n for n in notes)


async def test_what_it_did_not_hear_it_is_told_again_with_the_task_and_what_is_known(
    forgotten: tuple[list[str], list[str]],
) -> None:
    prompts, _notes = forgotten
    assert "Make it longer" in prompts[2]
    assert f"The task was: {GOAL}" in prompts[2]
    assert "It is done." in prompts[2]
