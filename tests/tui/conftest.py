"""What every test of the screen can rely on."""

import time
from collections.abc import Iterator

import pytest

from app.tui.widgets import deaf
from tests.support.fleet import RecordedSwarm
from tests.support.story import story


@pytest.fixture(autouse=True)
def one_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times read the same on every machine."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def quick_ears(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is deaf for long, except where a test says so."""
    monkeypatch.setattr(deaf, "SECONDS", 0.0)


@pytest.fixture
def deaf_ears(quick_ears: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What appears stays deaf for as long as the test lasts."""
    monkeypatch.setattr(deaf, "SECONDS", 3600.0)


@pytest.fixture
def swarm() -> RecordedSwarm:
    """The supervisor of the story."""
    return RecordedSwarm(story())
