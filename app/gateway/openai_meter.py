"""Reads the usage out of an OpenAI reply, Responses or Chat Completions, streamed or whole. No I/O.

A reply whose end was not seen is *incomplete*: its visible text is no bound on what was billed.
"""

from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

import msgspec

from app.domain.money import Micros
from app.gateway.lines import Count, Reading, data_of
from app.gateway.prices import Usage

_ENDINGS: Final = ("response.completed", "response.incomplete", "response.failed")
_MOST: Final = Decimal(1_000_000)


class _Details(msgspec.Struct):
    cached_tokens: Count | None = None
    cache_write_tokens: Count | None = None


class _Elsewhere(msgspec.Struct):
    upstream_inference_cost: Decimal | None = None


class _Counts(msgspec.Struct):
    """Usage in the words of either dialect, with what compatible providers add."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    total_tokens: Count | None = None
    input_tokens_details: _Details | None = None
    prompt_tokens_details: _Details | None = None
    prompt_cache_hit_tokens: Count | None = None
    cost: Decimal | None = None
    is_byok: bool | None = None
    cost_details: _Elsewhere | None = None


class _Choice(msgspec.Struct):
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Counts | None = None


class _Response(msgspec.Struct):
    usage: _Counts | None = None
    status: str = ""


class _Event(msgspec.Struct):
    type: str = ""
    response: _Response | None = None


class _Meter(Reading):
    """What both dialects' meters do alike."""

    def __init__(self, *, streamed: bool) -> None:
        super().__init__(streamed=streamed)
        self._told: _Counts | None = None
        self.ended = False
        """Whether the reply said that it is whole."""

    @property
    def complete(self) -> bool:
        """Whether the provider told the final numbers."""
        return self.ended and self._told is not None and _sums(self._told) is not None

    @property
    def usage(self) -> Usage:
        return _usage(self._told) if self._told is not None else Usage()

    @property
    def cost(self) -> Micros | None:
        """What the provider says it charges; with the user's own key there, also what that costs."""
        told = self._told
        if told is None or told.cost is None:
            return None
        total = told.cost
        if told.is_byok and told.cost_details and told.cost_details.upstream_inference_cost:
            total += told.cost_details.upstream_inference_cost
        if not total.is_finite() or not 0 <= total <= _MOST:
            return None
        return Micros(int((total * 1_000_000).to_integral_value(ROUND_CEILING)))


class ResponsesMeter(_Meter):
    """The meter of one reply in the Responses dialect."""

    def _line(self, line: bytes) -> None:
        if not any(kind in line for kind in (b"completed", b"incomplete", b"failed")):
            return
        event = _decoded(data_of(line), _Event)
        if event is not None and event.type in _ENDINGS and event.response is not None:
            self.ended = True
            self._told = event.response.usage

    def _whole(self, body: bytes) -> None:
        if (reply := _decoded(body, _Response)) is not None and reply.status:
            self.ended = True
            self._told = reply.usage


class ChatMeter(_Meter):
    """The meter of one reply in the Chat Completions dialect."""

    def __init__(self, *, streamed: bool) -> None:
        super().__init__(streamed=streamed)
        self._finished = False

    def _line(self, line: bytes) -> None:
        data = data_of(line)
        if data == b"[DONE]":
            self.ended = True
        elif b'"usage"' in data or b'"finish_reason"' in data:
            self._take(_decoded(data, _Chunk))

    def _whole(self, body: bytes) -> None:
        chunk = _decoded(body, _Chunk)
        self._take(chunk)
        self.ended = chunk is not None and bool(chunk.choices)

    def _take(self, chunk: _Chunk | None) -> None:
        if chunk is None:
            return
        self._finished |= any(choice.finish_reason for choice in chunk.choices or ())
        if chunk.usage is not None:
            self._told = chunk.usage
            # Some providers leave the closing `[DONE]` out.
            self.ended |= self._finished


def _decoded(data: bytes, kind: type[Any]) -> Any:
    """The document; None when it is none, since its numbers cannot be believed then."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _sums(told: _Counts) -> tuple[int, int] | None:
    """All that was sent and all that was written; some providers count hidden thinking only in the total."""
    sent = told.input_tokens if told.prompt_tokens is None else told.prompt_tokens
    written = told.output_tokens if told.completion_tokens is None else told.completion_tokens
    if sent is None or written is None:
        return None
    return sent, max(written, (told.total_tokens or 0) - sent)


def _usage(told: _Counts) -> Usage:
    sent, written = _sums(told) or (0, 0)
    details = told.prompt_tokens_details or told.input_tokens_details or _Details()
    read = min(sent, details.cached_tokens or told.prompt_cache_hit_tokens or 0)
    write = min(sent - read, details.cache_write_tokens or 0)
    return Usage(input=sent - read - write, output=written, cache_read=read, cache_write=write)
