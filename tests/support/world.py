"""A supervisor with any number of users' repositories, for stories that share one."""

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import pytest_asyncio

from app import wire
from app.client.client import Swarm
from tests.support.actions import SwarmActions
from tests.support.home import Home, home_at
from tests.support.repos import FILES, make_repository

story = pytest_asyncio.fixture(scope="module", loop_scope="module")
"""A story told once for all tests of a file, each of which looks at one fact of it."""
Settings: TypeAlias = Mapping[str, Any]
"""What a user writes into config.yaml, besides the agents."""
CLEARED = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "SWARM_FAULT", "ANTHROPIC_API_KEY")


INPUT_RATE, OUTPUT_RATE = 1, 10
"""What scripted agents pay there, in dollars per million tokens."""


def paid_at(url: str, *, key: str = "") -> Settings:
    """What a user writes under `gateway` whose scripted agents pay that provider."""
    price = {"input": str(INPUT_RATE), "output": str(OUTPUT_RATE)}
    upstream = {"url": url, "key": key, "dialects": ["anthropic"]}
    return {"upstreams": {"anthropic": upstream}, "prices": {"scripted": price}}


class World:
    """One home with its supervisor."""

    def __init__(self, home: Home, client: Swarm) -> None:
        self.home = home
        self.client = client
        self._numbers = itertools.count(1)

    def user(
        self, files: Mapping[str, str | bytes] | None = None, **settings: object
    ) -> SwarmActions:
        """A user in a fresh repository, with these settings in its `.swarm/config.yaml`."""
        content = dict(FILES if files is None else files)
        if settings:
            lines = (f"{name}: {value}\n" for name, value in settings.items())
            content[".swarm/config.yaml"] = "".join(lines)
        path = self.home.root / f"project{next(self._numbers)}"
        return SwarmActions(self.client, make_repository(path, content))

    def at(self, detail: wire.RunDetail) -> SwarmActions:
        """The user of that run."""
        return SwarmActions(self.client, Path(detail.row.task.repo))


@contextlib.contextmanager
def world_at(root: Path, *, agents: Settings, settings: Settings) -> Iterator[Home]:
    """A configured home, which is also this process's."""
    with home_at(root) as home, pytest.MonkeyPatch.context() as patch:
        for name in CLEARED:
            patch.delenv(name, raising=False)
        for name, value in home.env.items():
            patch.setenv(name, value)
        shipped = {"agent": "scripted", "sandbox": {"driver": "memory"}, "concurrency": 4}
        home.configure({**shipped, "agents": dict(agents), **settings})
        yield home
