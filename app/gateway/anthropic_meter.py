"""Reads the usage out of an Anthropic Messages reply, streamed or whole, while it passes by. No I/O.

A reply whose end was not seen is *incomplete*: its visible text is no bound on what was billed.
"""

from typing import NamedTuple

import msgspec

from app.domain.money import Micros
from app.gateway.lines import Count, Reading, data_of
from app.gateway.prices import Usage


class _Written(msgspec.Struct):
    ephemeral_5m_input_tokens: Count = 0
    ephemeral_1h_input_tokens: Count = 0


class _Counts(msgspec.Struct):
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    cache_creation: _Written | None = None
    iterations: "list[_Counts] | None" = None


class _Delta(msgspec.Struct):
    stop_reason: str | None = None


class _Message(msgspec.Struct):
    usage: _Counts | None = None


class _Event(msgspec.Struct):
    type: str = ""
    message: _Message | None = None
    usage: _Counts | None = None
    delta: _Delta | None = None


class _Reply(msgspec.Struct):
    usage: _Counts


class _Raw(NamedTuple):
    """The numbers as told; how the cache writes split up may be told only once."""

    input: int = 0
    output: int = 0
    read: int = 0
    written: int = 0
    short: int = 0
    long: int = 0


class MessagesMeter(Reading):
    """The meter of one reply: feed it every byte, then ask."""

    def __init__(self, *, streamed: bool, long_cache: bool) -> None:
        super().__init__(streamed=streamed)
        self._long_cache = long_cache
        self._seen = _Raw()
        self.complete = False
        """Whether the provider told the final numbers."""
        self.cost: Micros | None = None
        """This dialect tells tokens, never money."""

    @property
    def ended(self) -> bool:
        """The final numbers come with the end."""
        return self.complete

    @property
    def usage(self) -> Usage:
        """What was told so far. Cache writes of untold length count as the longest the request asked for."""
        seen = self._seen
        untold = max(0, seen.written - seen.short - seen.long)
        return Usage(
            input=seen.input,
            output=seen.output,
            cache_read=seen.read,
            cache_write=seen.short + (0 if self._long_cache else untold),
            cache_write_long=seen.long + (untold if self._long_cache else 0),
        )

    def _line(self, line: bytes) -> None:
        if b'"message_' not in line or not (data := data_of(line)):
            return
        try:
            event = msgspec.json.decode(data, type=_Event)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return
        if event.type == "message_start" and event.message and event.message.usage:
            self._count(event.message.usage)
        elif event.type == "message_delta" and event.usage:
            self._count(event.usage)
            self.complete = self.complete or bool(event.delta and event.delta.stop_reason)

    def _whole(self, body: bytes) -> None:
        try:
            reply = msgspec.json.decode(body, type=_Reply)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return
        self._count(reply.usage)
        self.complete = reply.usage.output_tokens is not None

    def _count(self, told: _Counts) -> None:
        """Numbers are totals so far, so the larger holds; rounds before the answer are only told apart."""
        self._seen = _larger(self._seen, _raw(told))
        if told.iterations:
            self._seen = _larger(self._seen, _sum([_raw(part) for part in told.iterations]))


def _raw(told: _Counts) -> _Raw:
    split = told.cache_creation or _Written()
    return _Raw(
        told.input_tokens or 0,
        told.output_tokens or 0,
        told.cache_read_input_tokens or 0,
        told.cache_creation_input_tokens or 0,
        split.ephemeral_5m_input_tokens,
        split.ephemeral_1h_input_tokens,
    )


def _larger(one: _Raw, other: _Raw) -> _Raw:
    return _Raw(*map(max, one, other))


def _sum(parts: list[_Raw]) -> _Raw:
    return _Raw(*map(sum, zip(*parts, strict=True)))
