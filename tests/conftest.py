"""Fixtures every test may use: an isolated home, a small repository, a running supervisor."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.actions import SwarmActions
from tests.support.home import Home, home_at, supervised
from tests.support.repos import make_repository

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell that has put us into the background did that, and every program we start would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Timing is never asserted; and what CI draws is the same each time, so that a red run can be repeated.
settings.register_profile("swarm", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("swarm")


TESTS = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process runs the tests that share an event loop, and with it stories: each would live through them."""
    for item in items:
        loop = item.get_closest_marker("asyncio")
        if loop and loop.kwargs.get("loop_scope") == "module" and not _grouped(item):
            file = item.path.relative_to(TESTS).with_suffix("")
            item.add_marker(pytest.mark.xdist_group(file.as_posix()))


def _grouped(item: pytest.Item) -> bool:
    return item.get_closest_marker("xdist_group") is not None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """How many processes `-n auto` means: most tests wait for other programs most of the time."""
    return min((os.cpu_count() or 1) + 1, 8)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A user's own world; also this process's, so that nothing of the developer's is read."""
    with home_at(tmp_path) as home:
        for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "SWARM_FAULT", "ANTHROPIC_API_KEY"):
            monkeypatch.delenv(name, raising=False)
        for name, value in home.env.items():
            monkeypatch.setenv(name, value)
        home.configure({"agent": "scripted", "sandbox": {"driver": "memory"}})
        yield home


@pytest.fixture
def repo(home: Home) -> Path:
    """The user's repository: a few files on `main`, clean."""
    return make_repository(home.root / "project")


@pytest.fixture
async def swarm(home: Home, repo: Path) -> AsyncIterator[SwarmActions]:
    """A running supervisor with the embedded sandbox, and a user in the repository."""
    async with supervised(home) as client:
        yield SwarmActions(client, repo)
