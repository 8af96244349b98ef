"""A person speaks to an agent at work: it hears it in its turn, or its next turn begins with it."""

import asyncio

import pytest

from app import wire
from app.domain.errors import NotNow, UsageError
from app.domain.events import TurnStarted
from app.domain.run import RunState
from harnesses.events import MessageTaken
from tests.support.actions import SwarmActions
from tests.support.patience import PATIENCE
from tests.support.scripts import ask, edit, scripted
from tests.support.world import World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"approvals": "autonomous"}
AGENTS = {
    "listener": scripted(
        [{"listen": {"then": [edit("heard.txt", "{{note}} in turn {{turn}}\n")]}}]
    ),
    "busy": scripted(
        [ask("One?", tool="fetch", yes=[])], [edit("next.txt", "{{prompt}}, turn {{turn}}\n")]
    ),
}


async def tell(user: SwarmActions, run: str, text: str) -> wire.RunRow:
    return await user.client.tell(run, wire.Tell(text=text, by="ada"))


@story
async def heard(world: World) -> wire.RunDetail:
    """A run whose agent was told something while it worked."""
    user = world.user()
    run = await user.submit(agent="listener")
    await user.until(run, RunState.WORKING)
    await tell(user, run, "mind the gap")
    return await user.until(run, RunState.IN_REVIEW)


@story
async def deferred(world: World) -> wire.RunDetail:
    """A run whose agent was told something that it did not take in before its turn was over."""
    user = world.user(approvals="balanced")
    run = await user.submit(agent="busy")
    waiting = await user.until(run, RunState.WAITING)
    await tell(user, run, "mind the gap")
    assert waiting.row.question
    await user.answer(waiting.row.question, yes=True)
    return await user.until(run, RunState.IN_REVIEW)


async def test_an_agent_at_work_hears_it_in_its_turn(world: World, heard: wire.RunDetail) -> None:
    assert await world.at(heard).file(heard.row.run.id, "heard.txt") == "mind the gap in turn 1"


async def test_that_it_was_heard_stands_in_the_log_once(
    world: World, heard: wire.RunDetail
) -> None:
    events = await world.at(heard).events(heard.row.run.id)
    assert sum(isinstance(event.body, MessageTaken) for event in events) == 1


async def test_what_was_not_heard_begins_the_next_turn(
    world: World, deferred: wire.RunDetail
) -> None:
    text = await world.at(deferred).file(deferred.row.run.id, "next.txt")
    assert text == "mind the gap, turn 2"


async def test_who_said_it_is_written_down(world: World, heard: wire.RunDetail) -> None:
    rows = [row for row in await world.client.audit(heard.row.run.id) if row.what == "told"]
    assert [(row.actor, row.detail["text"]) for row in rows] == [("ada", "mind the gap")]


async def test_a_run_in_review_is_sent_back_with_words_instead(
    world: World, heard: wire.RunDetail
) -> None:
    with pytest.raises(NotNow, match="waits for your review") as refused:
        await tell(world.at(heard), heard.row.run.id, "more")
    assert "swarm changes" in refused.value.hint


async def test_nothing_to_say_is_refused(world: World, heard: wire.RunDetail) -> None:
    with pytest.raises(UsageError, match="nothing to tell"):
        await tell(world.at(heard), heard.row.run.id, "  ")


async def test_a_stopped_run_keeps_it_until_it_goes_on(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="listener")
    await user.until(run, RunState.WORKING)
    await user.client.stop(run, wire.Act(by="ada"))
    await user.until(run, RunState.CANCELLED)
    await tell(user, run, "start at the end")
    await user.client.resume(run, wire.Resume(by="ada"))
    await user.until(run, RunState.WORKING)
    events = await user.events(run)
    prompts = [event.body.prompt for event in events if isinstance(event.body, TurnStarted)]
    assert "start at the end" in prompts[-1].split("\n\n")
    await user.client.stop(run, wire.Act(by="ada"))
    async with asyncio.timeout(PATIENCE):
        await user.until(run, RunState.CANCELLED)
