"""Stories that every real agent lives through, whichever file tells them."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from docker import APIClient

from app import wire
from app.domain.events import TurnStarted
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal, Seen
from harnesses.events import SessionStarted
from tests.support.actions import AT_REST, SwarmActions
from tests.support.patience import PATIENCE
from tests.support.world import World

Runs: TypeAlias = dict[str, wire.RunDetail]
"""What became of each agent."""
CHECK = (
    "python3 -c \"import sys; sys.path.insert(0, 'src'); import app; assert app.add(2, 3) == 5\""
)
WORDS = "Mind the gap between two words."
"""What a person says to an agent at work."""


async def side_by_side(
    agents: Iterable[str], tell: Callable[[str], Awaitable[wire.RunDetail]]
) -> Runs:
    """The same story of each agent, all at once."""
    names = [*agents]
    return dict(zip(names, await asyncio.gather(*map(tell, names)), strict=True))


async def to_rest(user: SwarmActions, run: str, *, yes: bool = True) -> wire.RunDetail:
    """Answer every question until nothing of the run goes on."""
    async with asyncio.timeout(PATIENCE):
        while True:
            detail = await user.client.detail(run)
            if detail.row.run.state in AT_REST or detail.row.run.state == RunState.IN_REVIEW:
                return detail
            if detail.row.question:
                await user.answer(detail.row.question, yes=yes)
            await asyncio.sleep(0.1)


async def send_back(house: World, before: Mapping[str, wire.RunDetail]) -> Runs:
    """The same runs, sent back with words and done again, by new processes that go on with the conversation."""

    async def tell(agent: str) -> wire.RunDetail:
        user, run = house.at(before[agent]), before[agent].row.run.id
        await user.changes(run, f"Write more [[plan:{agent}-again]]")
        return await to_rest(user, run)

    return await side_by_side(before, tell)


async def go_broke(house: World, agents: Iterable[str]) -> Runs:
    """The budget does not last."""

    async def tell(agent: str) -> wire.RunDetail:
        user = house.user()
        goal = f"Write a book [[plan:{agent}-endless]]"
        return await to_rest(user, await user.submit(goal, agent=agent, budget="0.90"))

    return await side_by_side(agents, tell)


async def killed_and_stopped(house: World, provider: Rehearsal, agents: Iterable[str]) -> Runs:
    """The agent's container is killed in the middle of a model call; the next turn is stopped by a person."""

    async def tell(agent: str) -> wire.RunDetail:
        user = house.user()
        run = await user.submit(f"Note it [[plan:{agent}-hang]]", agent=agent)
        await seen(provider, agent, "hang", 2)
        kill_box(run)
        await turns(user, run, 2)
        await seen(provider, agent, "hang", 3)
        await user.stop(run)
        return await user.until(run, RunState.CANCELLED)

    return await side_by_side(agents, tell)


async def answered_late(house: World, agents: Iterable[str]) -> Runs:
    """The agent's container is killed while its question waits; the answer comes before it asks again."""

    async def tell(agent: str) -> wire.RunDetail:
        user = house.user(approvals="cautious")
        run = await user.submit(f"Note it [[plan:{agent}-insists]]", agent=agent)
        question = await user.question(run)
        kill_box(run)
        await turns(user, run, 2)
        await user.answer(question, yes=True)
        return await to_rest(user, run)

    return await side_by_side(agents, tell)


async def given(house: World, agents: Iterable[str], plan: str) -> Runs:
    """A task of which its model makes what that plan says."""

    async def tell(agent: str) -> wire.RunDetail:
        user = house.user()
        goal = f"Note it [[plan:{agent}-{plan}]]"
        return await to_rest(user, await user.submit(goal, agent=agent))

    return await side_by_side(agents, tell)


@dataclass(frozen=True)
class Troubles:
    """What goes wrong, and what becomes of each agent."""

    broke: Runs
    """The budget does not last."""
    killed: Runs
    """The agent's container is killed in the middle of a model call; the next turn is stopped by a person."""
    shaken: Runs
    """A reply is cut once, once the model answers 500; then 429 and 529 for longer than the gateway tries."""
    refused: Runs
    """The model answers 401, always."""


async def all_troubles(house: World, provider: Rehearsal, agents: Iterable[str]) -> Troubles:
    """The failures that count against an agent come last, since it rests after a few of them."""
    names = [*agents]
    broke, killed, shaken = await asyncio.gather(
        go_broke(house, names),
        killed_and_stopped(house, provider, names),
        given(house, names, "shaky"),
    )
    return Troubles(broke, killed, shaken, await given(house, names, "refused"))


def calls_of(provider: Rehearsal, agent: str, plan: str) -> list[Seen]:
    """The calls in whose conversation the plan is named."""
    marked = f"[[plan:{agent}-{plan}]]"
    return [call for call in provider.calls if marked in json.dumps(call.body)]


async def seen(provider: Rehearsal, agent: str, plan: str, count: int) -> None:
    """Wait until so many calls with tools came in."""
    async with asyncio.timeout(PATIENCE):
        while sum(bool(c.body.get("tools")) for c in calls_of(provider, agent, plan)) < count:
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
