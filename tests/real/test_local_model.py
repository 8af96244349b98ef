"""A model on the user's own machine: opencode and a real llama.cpp server; streamed, counted, and for nothing."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from app import wire
from app.domain.events import Spent
from app.domain.run import RunState
from harnesses.events import MessageChunk
from tests.support.agents_image import agents_image
from tests.support.home import supervised
from tests.support.images import require_docker
from tests.support.local_model import SAYS, require_llama, serving
from tests.support.world import World, story, world_at

pytestmark = [
    pytest.mark.docker,
    pytest.mark.real,
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server."""
    require_llama()
    with serving(tmp_path_factory.mktemp("llama")) as address:
        yield address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(llama: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The world of a user who says nothing but where the server is and that it has the model `local`."""
    require_docker()
    own = {
        "url": f"{llama}/v1",
        "dialects": ["chat"],
        "unknown_model": "free",
        "models": ["local"],
    }
    settings = {
        "sandbox": {"driver": "docker", "image": agents_image()},
        "gateway": {"upstreams": {"llama-cpp": own}},
        "max_turns": 1,
    }
    root = tmp_path_factory.mktemp("real")
    with world_at(root, agents={}, settings=settings) as home:
        async with supervised(home) as client:
            yield World(home, client)


@story
async def spoken(house: World) -> wire.RunDetail:
    """The shipped name `local` stands for opencode with that model."""
    user = house.user()
    return await user.until(
        await user.submit("Say something.", agent="local"), RunState.IN_REVIEW, RunState.FAILED
    )


async def test_what_the_model_says_streams_through(house: World, spoken: wire.RunDetail) -> None:
    events = await house.at(spoken).events(spoken.row.run.id)
    said = [event.body.text for event in events if isinstance(event.body, MessageChunk)]
    assert "".join(said) == SAYS, spoken.row.run.reason
    assert len(said) > 1


async def test_its_tokens_are_counted_as_the_server_did(
    house: World, spoken: wire.RunDetail
) -> None:
    events = await house.at(spoken).events(spoken.row.run.id)
    calls = [event.body for event in events if isinstance(event.body, Spent)]
    assert {call.known for call in calls} == {"metered"}
    assert {call.output for call in calls} == {len(SAYS) + 1}  # and the end
    assert all(call.input + call.cache_read > 10_000 for call in calls[-1:])


async def test_it_costs_nothing(spoken: wire.RunDetail) -> None:
    assert spoken.row.run.agent == "opencode"
    assert spoken.spend.calls >= 1
    assert (spoken.spend.micros, spoken.spend.held) == (0, 0)
