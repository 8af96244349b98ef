"""Stories that every real agent lives through, whichever file tells them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, TypeVar

import msgspec
from docker import APIClient

from app import wire
from app.domain.events import TurnStarted
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal, Seen
from harnesses.events import SessionStarted
from tests.support.actions import AT_REST, SwarmActions
from tests.support.patience import PATIENCE
from tests.support.world import World

Name = TypeVar("Name")
Runs: TypeAlias = dict[str, wire.RunDetail]
"""What became of each agent."""
CHECK = (
    "python3 -c \"import sys; sys.path.insert(0, 'src'); import app; assert app.add(2, 3) == 5\""
)
WORDS = "Mind the gap between two words."
"""What a person says to an agent at work."""
AT_ONCE = 6
"""Stories that are told together: real programs take a second or two of a core to start."""


async def side_by_side(
    names: Iterable[Name], tell: Callable[[Name], Awaitable[wire.RunDetail]]
) -> dict[Name, wire.RunDetail]:
    """The same of each: some at work, most of them waiting, and the last begin when the first are done."""
    places, known = asyncio.Semaphore(AT_ONCE), [*names]

    async def told(name: Name) -> wire.RunDetail:
        async with places:
            return await tell(name)

    return dict(zip(known, await asyncio.gather(*map(told, known)), strict=True))


async def to_rest(user: SwarmActions, run: str, *, yes: bool = True) -> wire.RunDetail:
    """Answer every question until nothing of the run goes on."""
    async with asyncio.timeout(PATIENCE):
        while True:
            detail = await user.client.detail(run)
            if detail.row.run.state in AT_REST or detail.row.run.state == RunState.IN_REVIEW:
                return detail
            if detail.row.question:
                await user.answer(detail.row.question, yes=yes)
            await asyncio.sleep(0.2)


async def send_back(house: World, before: Mapping[str, wire.RunDetail]) -> Runs:
    """The same runs, sent back with words and done again, by new processes that go on with the conversation."""

    async def tell(agent: str) -> wire.RunDetail:
        user, run = house.at(before[agent]), before[agent].row.run.id
        await user.changes(run, f"Write more [[plan:{agent}-again]]")
        return await to_rest(user, run)

    return await side_by_side(before, tell)


async def go_broke(house: World, agent: str) -> wire.RunDetail:
    """The budget does not last."""
    user = house.user()
    goal = f"Write a book [[plan:{agent}-endless]]"
    return await to_rest(user, await user.submit(goal, agent=agent, budget="0.90"))


async def killed_and_stopped(house: World, provider: Rehearsal, agent: str) -> wire.RunDetail:
    """The agent's container is killed in the middle of a model call; the next turn is stopped by a person."""
    user = house.user()
    run = await user.submit(f"Note it [[plan:{agent}-hang]]", agent=agent)
    await seen(provider, agent, "hang", 2)
    kill_box(run)
    await turns(user, run, 2)
    await seen(provider, agent, "hang", 3)
    await user.stop(run)
    return await user.until(run, RunState.CANCELLED)


async def answered_late(house: World, agent: str) -> wire.RunDetail:
    """The agent's container is killed while its question waits; the answer comes before it asks again."""
    user = house.user(approvals="cautious")
    run = await user.submit(f"Note it [[plan:{agent}-insists]]", agent=agent)
    question = await user.question(run)
    kill_box(run)
    await turns(user, run, 2)
    await user.answer(question, yes=True)
    return await to_rest(user, run)


async def given(house: World, agent: str, plan: str) -> wire.RunDetail:
    """A task of which its model makes what that plan says."""
    user = house.user()
    return await to_rest(user, await user.submit(f"Note it [[plan:{agent}-{plan}]]", agent=agent))


@dataclass(frozen=True)
class Troubles:
    """What goes wrong, and what becomes of each agent."""

    shaken: Runs
    """A reply is cut once, once the model answers 500; then 429 and 529 for longer than the gateway tries."""
    killed: Runs
    """The agent's container is killed in the middle of a model call; the next turn is stopped by a person."""
    late: Runs
    """The container is killed while the agent's question waits, and a person answers that question."""
    broke: Runs
    """The budget does not last."""
    refused: Runs
    """The model answers 401, always."""


async def all_troubles(house: World, provider: Rehearsal, agents: Iterable[str]) -> Troubles:
    """All of them side by side, those first that take long."""
    tells: dict[str, Callable[[str], Awaitable[wire.RunDetail]]] = {
        "shaken": partial(given, house, plan="shaky"),
        "killed": partial(killed_and_stopped, house, provider),
        "late": partial(answered_late, house),
        "broke": partial(go_broke, house),
        "refused": partial(given, house, plan="refused"),
    }
    pairs = [(trouble, agent) for trouble in tells for agent in agents]
    done = await side_by_side(pairs, lambda pair: tells[pair[0]](pair[1]))
    return Troubles(
        **{
            trouble: {agent: detail for (of, agent), detail in done.items() if of == trouble}
            for trouble in tells
        }
    )


def calls_of(provider: Rehearsal, agent: str, plan: str) -> list[Seen]:
    """The calls in whose conversation the plan is named."""
    return [call for call in provider.calls if says(call, f"[[plan:{agent}-{plan}]]")]


def says(call: Seen, text: str) -> bool:
    """Whether the conversation has that text."""
    # Looked for in many calls of a hundred kilobytes each: json takes thirty times as long.
    return text.encode() in msgspec.json.encode(call.body)


async def seen(provider: Rehearsal, agent: str, plan: str, count: int) -> None:
    """Wait until so many calls with tools came in."""
    marked, found, looked = f"[[plan:{agent}-{plan}]]", 0, 0
    async with asyncio.timeout(PATIENCE):
        while found < count:
            # Only what is new: the supervisor works in this process, too.
            new = provider.calls[looked:]
            looked += len(new)
            found += sum(bool(call.body.get("tools")) and says(call, marked) for call in new)
            await asyncio.sleep(0.05)


async def turns(user: SwarmActions, run: str, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(await prompts(user, run)) < count:
            await asyncio.sleep(0.1)


async def began(user: SwarmActions, run: str) -> list[SessionStarted]:
    return [e.body for e in await user.events(run) if isinstance(e.body, SessionStarted)]


async def prompts(user: SwarmActions, run: str) -> list[str]:
    return [e.body.prompt for e in await user.events(run) if isinstance(e.body, TurnStarted)]


def boxes(run: str) -> list[str]:
    """Containers of the run in which an agent runs."""
    api = APIClient(version="auto")
    try:
        names = [each["Names"][0].lstrip("/") for each in api.containers()]
    finally:
        api.close()
    return [name for name in names if run in name and "turn" in name]


def kill_box(run: str) -> None:
    api = APIClient(version="auto")
    try:
        for name in boxes(run):
            api.kill(name)
    finally:
        api.close()
