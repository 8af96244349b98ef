"""A recording of a run's model traffic: written while the run works, or played in place of the providers.

A file of JSON lines. The first says what it is, each other one is a `Take`: a request, as it is compared, and the
reply that the agent got. Nothing of it was left to the provider's or the user's discretion; see `cassette_text`.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from app.domain.base import Value
from app.domain.cassette import Cassette
from app.domain.errors import EnvironmentProblem, UsageError
from app.domain.safe import clean_line
from app.gateway.cassette_text import (
    ABSENT,
    difference,
    digest,
    normalised,
    scrubbed,
    scrubbed_reply,
    scrubber,
)

_FORMAT: Final = {"swarm": "cassette", "version": 1}
_AROUND: Final = 60
"""Characters shown of what differs."""
REPLY_LIMIT: Final = 32 * 1024**2
"""Bytes of a reply that are recorded at most; a longer one is recorded as cut there."""


class Heard(msgspec.Struct, kw_only=True):
    """A reply while it passes by."""

    status: int
    headers: Mapping[str, str]
    body: bytearray = msgspec.field(default_factory=bytearray)
    whole: bool = False
    """Whether it came to its end."""


class Take(Value, frozen=True, kw_only=True):
    """One call of a recording."""

    place: str
    """The route it was sent to."""
    request: Any
    """Its body, scrubbed and normalised."""
    status: int
    headers: Mapping[str, str]
    body: str
    whole: bool
    """Whether the reply came to its end; one that did not is cut again when it is played."""

    @property
    def streamed(self) -> bool:
        return self.headers.get("content-type", "").startswith("text/event-stream")

    def pieces(self) -> Iterator[bytes]:
        """The reply as it is sent: event by event."""
        *events, rest = self.body.split("\n\n") if self.streamed else [self.body]
        yield from (f"{event}\n\n".encode() for event in events)
        if rest:
            yield rest.encode()


class Recorder:
    """Adds every call of a run to its file."""

    def __init__(self, file: Path, home: str) -> None:
        self._file = file
        self._home = home
        self._lock = threading.Lock()

    async def save(self, place: str, request: Mapping[str, Any], heard: Heard, *keys: str) -> None:
        """Add a call, without these keys. Raises `OSError`."""
        await asyncio.to_thread(self._save, place, request, heard, keys)

    def _save(
        self, place: str, request: Mapping[str, Any], heard: Heard, keys: Sequence[str]
    ) -> None:
        scrub = scrubber(keys, self._home)
        take = Take(
            place=place,
            request=normalised(scrubbed(request, scrub)),
            status=heard.status,
            headers={name: scrub(value) for name, value in heard.headers.items()},
            body=scrubbed_reply(heard.body.decode(errors="replace"), scrub),
            whole=heard.whole,
        )
        line = msgspec.json.encode(take) + b"\n"
        with self._lock, self._file.open("ab") as file:
            file.write(line)


class Player:
    """Answers from a recording. The same request again gets the next reply recorded for it, at last the last."""

    def __init__(self, name: str, takes: Sequence[Take], home: str) -> None:
        self._name = name
        self._home = home
        self._takes: dict[str, list[Take]] = {}
        for take in takes:
            self._takes.setdefault(digest(take.place, take.request), []).append(take)
        self._played: Counter[str] = Counter()

    def find(self, place: str, request: Mapping[str, Any], *keys: str) -> Take | str:
        """The reply to a request; else in words what was asked that nobody recorded."""
        asked = normalised(scrubbed(request, scrubber(keys, self._home)))
        name = digest(place, asked)
        takes = self._takes.get(name)
        if takes is None:
            return (
                f"the cassette {self._name} has no reply to this call: {self._miss(place, asked)}"
            )
        number = self._played[name]
        self._played[name] += 1
        return takes[min(number, len(takes) - 1)]

    def _miss(self, place: str, asked: Any) -> str:
        """What differs from the recorded request that is the most like it."""
        here = [takes[0].request for takes in self._takes.values() if takes[0].place == place]
        found = [each for one in here if (each := difference(one, asked)) is not None]
        if not found:
            return f"nothing of {place} was recorded"
        path, recorded, told = max(found, key=lambda each: _likeness(*each))
        at, was, is_ = ".".join(map(str, path)), _text(recorded), _text(told)
        since = _common(was, is_)
        return (
            f"of what was recorded, the most like it differs at {at}, where {_part(was, since)} "
            f"was recorded and {_part(is_, since)} is asked"
        )


def _likeness(path: tuple[str | int, ...], recorded: Any, asked: Any) -> tuple[int, int]:
    """How far the conversation is the same: messages, and signs of the first that differs."""
    return next((n for n in path if isinstance(n, int)), -1), _common(_text(recorded), _text(asked))


def _text(value: Any) -> str:
    if value is ABSENT:
        return "nothing"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _common(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def _part(text: str, since: int) -> str:
    start = max(0, since - _AROUND // 3)
    return f"'{clean_line(text[start : start + _AROUND])}'"


def begin(cassette: Cassette) -> None:
    """Before a run: make the file to record to, or see that one can be played. Raises when that cannot be."""
    if cassette.record and cassette.replay:
        raise UsageError("a run is either recorded or played", hint="Leave one of them out.")
    if not all(Path(name).is_absolute() for name in (cassette.record, cassette.replay) if name):
        raise UsageError("a cassette is named by its absolute path")
    if cassette.replay:
        tape_of(cassette, "")
    if cassette.record:
        file = Path(cassette.record)
        try:
            with file.open("xb") as new:
                file.chmod(0o600)
                new.write(msgspec.json.encode(_FORMAT) + b"\n")
        except FileExistsError:
            raise UsageError(
                f"{file} is there already, and a recording is not written over anything",
                hint="Choose another name.",
            ) from None
        except OSError as error:
            raise EnvironmentProblem(
                f"nothing can be recorded to {file}: {error.strerror or error}",
                hint="Choose a file in a directory that you can write to.",
            ) from error


def tape_of(cassette: Cassette, home: str) -> Recorder | Player | None:
    """What records or plays; None for neither. Raises when the file cannot be played."""
    if cassette.record:
        return Recorder(Path(cassette.record), home)
    if not cassette.replay:
        return None
    file = Path(cassette.replay)
    try:
        first, *lines = file.read_bytes().splitlines() or [b""]
    except OSError as error:
        raise UsageError(
            f"the cassette {file} cannot be read: {error.strerror or error}",
            hint="`swarm run … --record FILE` makes one.",
        ) from error
    try:
        if msgspec.json.decode(first) != _FORMAT:
            raise msgspec.DecodeError(
                f"its first line is not {msgspec.json.encode(_FORMAT).decode()}"
            )
        takes = [msgspec.json.decode(line, type=Take) for line in lines]
    except msgspec.MsgspecError as error:
        raise UsageError(
            f"{file} is not a cassette, or not a whole one: {error}",
            hint="`swarm run … --record FILE` makes one.",
        ) from error
    return Player(file.name, takes, home)
