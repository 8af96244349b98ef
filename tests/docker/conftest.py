"""Fixtures of the tests that need a Docker Engine."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from docker import APIClient
from docker.utils import kwargs_from_env

from tests.support.boxes import House, opened_house
from tests.support.images import require_docker


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Docker sandboxes; whatever a test opens in it is removed at its end."""
    async with opened_house("docker", tmp_path) as house:
        yield house


@pytest.fixture
def engine() -> Iterator[APIClient]:
    """The engine, to look at sandboxes from outside."""
    require_docker()
    with contextlib.closing(APIClient(version="auto", **kwargs_from_env())) as api:
        yield api
