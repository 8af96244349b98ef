"""Following what happens: by number, without gaps and repeats, however slow the reader is."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.client.client import CaughtUp, Link
from app.domain.events import Event, StateChanged
from app.domain.run import RunState
from harnesses.events import MessageChunk
from tests.support.scripts import edit, scripted
from tests.support.world import World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINES = 3_000
AGENTS = {
    "chatty": scripted(
        [{"repeat": {"times": LINES, "steps": [{"say": "word"}]}}, edit("a.txt", "a\n")]
    ),
    "quiet": scripted([edit("b.txt", "b\n")]),
}


@story
async def finished(world: World) -> tuple[str, str]:
    """Two tasks, done at once: one says very much, one little."""
    user = world.user()
    runs = await user.submit("Talk", agent="chatty"), await user.submit("Work", agent="quiet")
    for run in runs:
        await user.until(run, RunState.IN_REVIEW)
    return runs


async def everything(world: World, since: int = 0, run: str = "") -> list[Event]:
    stream = world.client.events(since=since, run=run, follow=False)
    return [item async for item in stream if isinstance(item, Event)]


async def test_two_tasks_at_once_come_to_review_each_with_its_own_change(
    world: World, finished: tuple[str, str]
) -> None:
    shown = [(await world.client.detail(run)).reviews[-1] for run in finished]
    assert [[file.path for file in review.files] for review in shown] == [["a.txt"], ["b.txt"]]


async def test_numbers_grow_and_none_comes_twice(world: World, finished: tuple[str, str]) -> None:
    numbers = [event.seq for event in await everything(world)]
    assert numbers == sorted(set(numbers))


async def test_nothing_an_agent_said_is_missing(world: World, finished: tuple[str, str]) -> None:
    said = await everything(world, run=finished[0])
    assert sum(isinstance(event.body, MessageChunk) for event in said) == LINES


async def test_a_stream_resumes_after_a_number(world: World, finished: tuple[str, str]) -> None:
    whole = await everything(world)
    middle = len(whole) // 2
    assert await everything(world, since=whole[middle].seq) == whole[middle + 1 :]


async def test_the_stream_of_a_run_holds_nothing_of_others(
    world: World, finished: tuple[str, str]
) -> None:
    whole = await everything(world)
    alone = await everything(world, run=finished[1])
    assert alone == [event for event in whole if event.run == finished[1]]


async def test_the_end_of_the_past_is_marked_with_its_number(
    world: World, finished: tuple[str, str]
) -> None:
    items = [item async for item in world.client.events(follow=False)]
    last = items[-1]
    assert isinstance(last, CaughtUp)
    assert last.seq == max(item.seq for item in items if isinstance(item, Event))
    assert sum(isinstance(item, CaughtUp) for item in items) == 1


async def test_the_board_names_the_number_at_which_its_stream_goes_on(
    world: World, finished: tuple[str, str]
) -> None:
    board = await world.client.board()
    assert await everything(world, since=board.seq) == []


async def test_a_slow_reader_gets_everything(world: World, finished: tuple[str, str]) -> None:
    user = world.user()
    run = await user.submit("Talk more", agent="chatty")
    seen: list[Event] = []
    async for event in lived(world, run):
        seen.append(event)
        if len(seen) % 500 == 0:
            await asyncio.sleep(0.2)
    assert seen == await everything(world, run=run)


async def lived(world: World, run: str) -> AsyncIterator[Event]:
    """The run's events as they happen, until it is in review."""
    async for item in world.client.follow(run=run):
        if isinstance(item, Link | CaughtUp):
            continue
        yield item
        if isinstance(item.body, StateChanged) and item.body.state == RunState.IN_REVIEW:
            return


async def test_many_readers_see_the_same(world: World, finished: tuple[str, str]) -> None:
    user = world.user()
    run = await user.submit("Work again", agent="quiet")
    readers = [[event.seq async for event in lived(world, run)] for _ in range(1)]
    more = await asyncio.gather(*(numbers(world, run) for _ in range(8)))
    assert all(each == readers[0] for each in more)


async def numbers(world: World, run: str) -> list[int]:
    return [event.seq async for event in lived(world, run)]
