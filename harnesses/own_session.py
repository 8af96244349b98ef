"""One turn of a program of ours: it prints swarm's events as JSON lines, and reads answers as JSON lines."""

from collections.abc import Iterable
from typing import Final

import msgspec

from harnesses.base import Send
from harnesses.events import AgentEvent, PermissionAsked, SessionStarted, TurnEnded, Unreadable
from harnesses.text import excerpt, is_uuid

_DECODER: Final[msgspec.json.Decoder[AgentEvent]] = msgspec.json.Decoder(AgentEvent)


class OwnSession:
    """One turn of a program that prints swarm's own events: a line is an event."""

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._asked: set[str] = set()
        self._replies: dict[str, str] = {}
        self._ended = False

    def receive(self, line: str) -> Iterable[AgentEvent | Send]:
        if self._ended or not line.strip():
            return []
        try:
            event = _DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            return [_unreadable(line, str(error))]
        if isinstance(event, SessionStarted) and not is_uuid(event.conversation):
            return [_unreadable(line, f"not a conversation id of {self._agent}")]
        if isinstance(event, PermissionAsked):
            if event.id in self._asked:
                return []
            self._asked.add(event.id)
        self._ended = isinstance(event, TurnEnded)
        return [event]

    def answer(self, permission: str, *, allow: bool, note: str = "") -> Iterable[Send]:
        """The first answer holds. It is given again when asked again, in case it was lost on its way."""
        if self._ended or permission not in self._asked:
            return []
        answer = {"answer": permission, "allow": allow, "note": note}
        reply = self._replies.setdefault(permission, msgspec.json.encode(answer).decode())
        return [Send(reply)]

    def steer(self, message: str, text: str) -> Iterable[Send]:
        if self._ended:
            return []
        return [Send(msgspec.json.encode({"message": message, "text": text}).decode())]

    def interrupt(self) -> Iterable[Send]:
        return [] if self._ended else [Send('{"interrupt":true}')]


def _unreadable(line: str, why: str) -> Unreadable:
    return Unreadable(excerpt(line), why[:200])
