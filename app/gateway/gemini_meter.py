"""Reads the usage out of a reply of Gemini's API, streamed or whole. No I/O.

A reply whose end was not seen is *incomplete*: its visible text is no bound on what was billed.
"""

import msgspec

from app.domain.money import Micros
from app.gateway.lines import Count, Reading, data_of
from app.gateway.prices import Usage


class _Counts(msgspec.Struct, rename="camel"):
    """Totals so far; those of the last event hold."""

    prompt_token_count: Count | None = None
    """All that was sent, what the cache had too."""
    cached_content_token_count: Count | None = None
    tool_use_prompt_token_count: Count | None = None
    candidates_token_count: Count | None = None
    thoughts_token_count: Count | None = None
    total_token_count: Count | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    finish_reason: str | None = None


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None
    """Why the prompt was not answered at all."""


class _Chunk(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: _Counts | None = None


class GeminiMeter(Reading):
    """The meter of one reply: feed it every byte, then ask."""

    def __init__(self, *, streamed: bool) -> None:
        super().__init__(streamed=streamed)
        self._told: _Counts | None = None
        self.ended = False
        """Whether the reply said that it is whole."""
        self.complete = False
        """Whether the provider told the final numbers: those that come with the end, or after it."""
        self.cost: Micros | None = None
        """This dialect tells tokens, never money."""

    @property
    def usage(self) -> Usage:
        told = self._told or _Counts()
        sent = (told.prompt_token_count or 0) + (told.tool_use_prompt_token_count or 0)
        written = (told.candidates_token_count or 0) + (told.thoughts_token_count or 0)
        read = min(sent, told.cached_content_token_count or 0)
        # Whatever is counted in the total only was written, too.
        written = max(written, (told.total_token_count or 0) - sent)
        return Usage(input=sent - read, output=written, cache_read=read)

    def _line(self, line: bytes) -> None:
        data = data_of(line)
        if any(word in data for word in (b'"usageMetadata"', b'"finishReason"', b'"blockReason"')):
            self._take(data)

    def _whole(self, body: bytes) -> None:
        self._take(body)

    def _take(self, data: bytes) -> None:
        try:
            chunk = msgspec.json.decode(data, type=_Chunk)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return
        blocked = chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason
        self.ended |= bool(blocked) or any(each.finish_reason for each in chunk.candidates or ())
        if chunk.usage_metadata is not None:
            self._told = chunk.usage_metadata
            self.complete = self.ended and chunk.usage_metadata.prompt_token_count is not None
