"""How a turn of Claude Code ended, out of its last line."""

from typing import Final

from harnesses.claude_lines import ModelUsage, Result, Usage
from harnesses.events import COUNT_LIMIT, AgentEvent, StopReason, TurnEnded, UsageReported
from harnesses.text import OUTPUT_LIMIT, clip

_ABORTED: Final = ("aborted_tools", "aborted_streaming")


def ending(result: Result, *, interrupted: bool) -> list[AgentEvent]:
    """The agent's own count, and why it stopped."""
    reason = _reason(result, interrupted=interrupted)
    failed = reason in ("error", "max_turn_requests", "refusal")
    words = clip(_words(result), OUTPUT_LIMIT) if failed else ""
    status = result.api_error_status if failed else None
    return [_usage(result), TurnEnded(reason, words, status)]


def cut_result(line: str) -> bool:
    """Whether a line that cannot be decoded is a last line that was too long and got cut.

    Without noticing it, the turn would wait for an end that has passed.
    """
    return line.lstrip().startswith("{") and '"total_cost_usd":' in line


def _reason(result: Result, *, interrupted: bool) -> StopReason:
    if result.subtype == "error_max_turns":
        return "max_turn_requests"
    if result.subtype == "error_during_execution" and (
        interrupted or result.terminal_reason in _ABORTED
    ):
        return "cancelled"
    if result.stop_reason == "refusal":
        return "refusal"
    if result.is_error or result.subtype != "success":
        return "error"
    return "max_tokens" if result.stop_reason == "max_tokens" else "end_turn"


def _words(result: Result) -> str:
    errors = "; ".join(error for error in result.errors if isinstance(error, str))
    return result.result or errors or result.subtype


def _usage(result: Result) -> UsageReported:
    """Sub-agents are counted only in the table by model."""
    models = list((result.models_now or result.models).values())
    counts: list[Usage | ModelUsage] = [*models] or [result.usage or Usage()]
    cost = result.total_cost_usd
    if result.models_now:
        cost = sum(model.cost or 0.0 for model in models)
    return UsageReported(
        input=_sum([count.input_tokens for count in counts]),
        output=_sum([count.output_tokens for count in counts]),
        cache_read=_sum([count.cache_read_input_tokens for count in counts]),
        cache_write=_sum([count.cache_creation_input_tokens for count in counts]),
        cost_micros=_micros(cost),
    )


def _sum(counts: list[int | None]) -> int:
    return sum(count for count in counts if count is not None and 0 <= count <= COUNT_LIMIT)


def _micros(cost: float | None) -> int | None:
    if cost is None or not 0 <= cost <= COUNT_LIMIT:
        return None
    return round(cost * 1_000_000)
