"""How fast what agents print becomes events: every driver over the recordings of its real programs.

The floor is the JSON of the same lines, decoded and thrown away.
"""

import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import msgspec

from harnesses import catalog, registry
from harnesses.base import Harness, Send
from tests.support import agents
from tests.support.transcripts import Recording, stored

NAME = "lines of agents read into events (recordings of the real programs)"
SECONDS = 1.0
"""For which each driver, and each floor, reads again and again."""


def measure() -> list[tuple[str, float, str]]:
    """Every harness that has recordings."""
    return [row for name in registry.names() if (found := stored(name)) for row in _of(name, found)]


def _of(name: str, recordings: tuple[Recording, ...]) -> Iterator[tuple[str, float, str]]:
    harness = registry.load(name)
    count = sum(len(each.lines) for each in recordings)
    told = _read(harness, name, recordings)
    reading = _seconds(lambda: _read(harness, name, recordings))
    decoding = _seconds(lambda: _decode(recordings))
    yield f"{name}: events, from {count} lines", told / reading, "/s"
    yield f"{name}: lines", count / reading, "/s"
    yield f"{name}: a line / its JSON decoded", reading / decoding, "x"


def _read(harness: Harness, name: str, recordings: tuple[Recording, ...]) -> int:
    """Events of all of them, each turn by a session of its own."""
    told = 0
    for recording in recordings:
        brief = agents.brief_in(
            Path("/swarm"), settings=_settings(name), conversation=recording.resumes
        )
        session = harness.session(brief)
        for line in recording.lines:
            told += sum(not isinstance(item, Send) for item in session.receive(line))
    return told


@cache
def _settings(name: str) -> dict[str, object]:
    shipped = (agent for agent in catalog.load().all() if agent.harness == name)
    found = next(shipped, None)
    return dict(found.settings) if found else {}


def _decode(recordings: tuple[Recording, ...]) -> None:
    for recording in recordings:
        for line in recording.lines:
            try:
                msgspec.json.decode(line)
            except msgspec.DecodeError:
                continue


def _seconds(work: Callable[[], object]) -> float:
    """For one round, on average."""
    rounds, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < SECONDS:
        work()
        rounds += 1
    return passed / rounds
