from collections.abc import AsyncIterator, Iterable

from harnesses.base import Send
from harnesses.converse import converse
from harnesses.events import AgentEvent, MessageChunk
from tests.support.agents import Printed


class Echo:
    """Says each line twice, with a reply in between."""

    def receive(self, line: str) -> Iterable[AgentEvent | Send]:
        return [MessageChunk(line), Send(f"got {line}"), MessageChunk(line)]

    def answer(self, permission: str, *, allow: bool, note: str = "") -> Iterable[Send]:
        return []

    def steer(self, message: str, text: str) -> Iterable[Send]:
        return []

    def interrupt(self) -> Iterable[Send]:
        return []


class Tape:
    """A channel of given lines that remembers what it was sent."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        self.sent: list[str] = []

    async def lines(self) -> AsyncIterator[Printed]:
        for number, text in enumerate(self.texts):
            yield Printed(number * 10, text)

    async def send(self, line: str) -> None:
        self.sent.append(line)


async def test_events_are_numbered_within_their_line() -> None:
    heard = [(line.pos, index) async for line, index, _ in converse(Echo(), Tape("a", "b"))]
    assert heard == [(0, 0), (0, 1), (10, 0), (10, 1)]


async def test_replies_are_sent_and_not_yielded() -> None:
    tape = Tape("a", "b")
    heard = [event async for _, _, event in converse(Echo(), tape)]
    assert tape.sent == ["got a", "got b"]
    assert all(isinstance(event, MessageChunk) for event in heard)


async def test_it_ends_when_the_lines_end() -> None:
    assert [event async for event in converse(Echo(), Tape())] == []
