"""A user with the real agents in Docker, and a scripted model endpoint in place of the providers.

One supervisor, one endpoint and one image serve all tests of a file.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.gateway.rehearsal import Rehearsal
from app.gateway.rehearsal_script import Script
from tests.real.plans import PLANS
from tests.support.agents_image import agents_image
from tests.support.home import supervised
from tests.support.images import require_docker
from tests.support.world import Settings, World, world_at

REAL_KEY = "sk-real-and-secret-0123456789"


HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All the files make one group.

    However many processes there are, one of them starts the real programs, each of which takes seconds of a core
    and much memory.
    """
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.xdist_group("real"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[Rehearsal]:
    """The model providers: they bill by script, and want the real key."""
    async with Rehearsal(Script(plans=PLANS), key=REAL_KEY) as endpoint:
        yield endpoint


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    provider: Rehearsal, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """The user's world, where an agent at its limit is stopped."""
    root = tmp_path_factory.mktemp("real")
    async with house_at(root, provider, budget={"run": "5.00", "on_limit": "stop"}) as world:
        yield world


@contextlib.asynccontextmanager
async def house_at(
    root: Path, provider: Rehearsal, *, budget: Settings, agents: Settings | None = None
) -> AsyncIterator[World]:
    """A world configured as a user would: Docker, a key in the environment, who serves models."""
    require_docker()
    upstreams = {
        "anthropic": {"url": provider.url, "key": "env:ANTHROPIC_API_KEY"},
        "openai": {"url": f"{provider.url}/v1", "key": "env:OPENAI_API_KEY"},
        "google": {"url": provider.url, "key": "env:GEMINI_API_KEY"},
    }
    settings = {
        "sandbox": {"driver": "docker", "image": agents_image()},
        "gateway": {"upstreams": upstreams},
        "budget": budget,
        # Far more than work at a time: most of them wait, and few start together anyway.
        "concurrency": 12,
        # What fails in one story is ready for all the others.
        "routing": {"breaker": {"failures": 1000}},
    }
    with (
        world_at(root, agents=agents or {}, settings=settings) as home,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"):
            patch.setenv(name, REAL_KEY)
        async with supervised(home) as client:
            yield World(home, client)
