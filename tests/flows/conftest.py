"""A running supervisor shared by the stories of one file; each story has a user in a repository of its own.

A file says in `AGENTS` which scripted agents there are, and in `SETTINGS` what else the user configured.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.gateway.rehearsal import Rehearsal
from tests.support.home import supervised
from tests.support.world import Settings, World, world_at


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def endpoint() -> AsyncIterator[Rehearsal]:
    """A provider of models, for agents that pay."""
    async with Rehearsal() as rehearsal:
        yield rehearsal


@pytest.fixture(scope="module")
def settings(request: pytest.FixtureRequest) -> Settings:
    """What the user of this file configured."""
    return getattr(request.module, "SETTINGS", {})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    request: pytest.FixtureRequest, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """The supervisor of this file."""
    agents = getattr(request.module, "AGENTS", {})
    with world_at(tmp_path_factory.mktemp("world"), agents=agents, settings=settings) as home:
        async with supervised(home) as client:
            yield World(home, client)
