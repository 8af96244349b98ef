"""A user with the real Claude Code in Docker, and a scripted model endpoint in place of the provider."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.gateway.rehearsal import Rehearsal
from app.gateway.rehearsal_script import Script
from tests.real.plans import PLANS
from tests.support.home import Home
from tests.support.images import agents_image, require_docker

REAL_KEY = "sk-ant-real-and-secret-0123456789"


@pytest.fixture
async def provider() -> AsyncIterator[Rehearsal]:
    """The model provider: bills by script, and wants the real key."""
    async with Rehearsal(Script(plans=PLANS), key=REAL_KEY) as endpoint:
        yield endpoint


@pytest.fixture
def claude_home(home: Home, provider: Rehearsal) -> Home:
    """The user's world, configured as a user would: Docker, Claude Code, a key in the environment."""
    require_docker()
    home.configure(
        {
            "agent": "claude-code",
            "sandbox": {"driver": "docker", "image": agents_image()},
            "gateway": {"upstreams": {"anthropic": {"url": provider.url}}},
        }
    )
    return replace(home, env={**home.env, "ANTHROPIC_API_KEY": REAL_KEY})


@pytest.fixture
def project(claude_home: Home, repo: Path) -> Path:
    """The user's repository; the home is configured before anything runs in it."""
    return repo
