"""Stories that every real agent lives through, whichever file tells them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

from app import wire
from app.domain.run import RunState
from tests.support.actions import AT_REST, SwarmActions
from tests.support.patience import PATIENCE
from tests.support.world import World

CHECK = (
    "python3 -c \"import sys; sys.path.insert(0, 'src'); import app; assert app.add(2, 3) == 5\""
)


async def side_by_side(
    agents: Iterable[str], tell: Callable[[str], Awaitable[wire.RunDetail]]
) -> dict[str, wire.RunDetail]:
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


async def send_back(
    house: World, before: Mapping[str, wire.RunDetail]
) -> dict[str, wire.RunDetail]:
    """The same runs, sent back with words and done again, by new processes that go on with the conversation."""

    async def tell(agent: str) -> wire.RunDetail:
        user, run = house.at(before[agent]), before[agent].row.run.id
        await user.changes(run, f"Write more [[plan:{agent}-again]]")
        return await to_rest(user, run)

    return await side_by_side(before, tell)


async def go_broke(house: World, agents: Iterable[str]) -> dict[str, wire.RunDetail]:
    """The budget does not last."""

    async def tell(agent: str) -> wire.RunDetail:
        user = house.user()
        goal = f"Write a book [[plan:{agent}-endless]]"
        return await to_rest(user, await user.submit(goal, agent=agent, budget="0.90"))

    return await side_by_side(agents, tell)
