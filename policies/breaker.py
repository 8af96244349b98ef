"""Whether an agent that has failed lately gets another task: a breaker that opens, and lets one try through."""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

import msgspec

EndCause: TypeAlias = Literal[
    "done",
    "stopped",
    "setup",
    "crash",
    "error",
    "outage",
    "rate_limit",
    "stuck",
    "checks",
    "budget",
]
"""Why a run came to rest.

`done`: with something to review. `stopped`: by a person. `setup`: before the agent began. `crash`: its program was
lost. `error`: it gave up. `outage`: its model could not be called. `rate_limit`: its provider asks to wait.
`stuck`: it changed nothing. `checks`: they still failed. `budget`: its money or time was used up.
"""
FAILURES: Final[frozenset[EndCause]] = frozenset({"crash", "error", "outage", "rate_limit"})
"""Ends that say something about whoever did the work, and nothing about the task."""


class BreakerRule(msgspec.Struct, frozen=True, kw_only=True):
    """When it opens, and for how long."""

    failures: int = 3
    """In a row."""
    window: float = 300.0
    """Seconds within which they fall."""
    pause: float = 60.0
    """Seconds after the last one until a single try."""


class Past(msgspec.Struct, frozen=True):
    """A run of one agent: when it began, and how it ended if it has."""

    began: float
    ended: float | None = None
    cause: EndCause = "done"


class Closed(msgspec.Struct, frozen=True):
    """It gets tasks."""


class Open(msgspec.Struct, frozen=True):
    """It gets none until then."""

    until: float
    why: str


class Probe(msgspec.Struct, frozen=True):
    """One task is a try: it gets that one, and no other while the try is under way."""

    why: str


Breaker: TypeAlias = Closed | Open | Probe


def breaker(past: Iterable[Past], rule: BreakerRule, now: float) -> Breaker:
    """The state that follows from its runs alone. A try that is under way keeps it open."""
    known = sorted(past, key=lambda run: run.ended if run.ended is not None else run.began)
    row = _failures_at_the_end([run for run in known if run.ended is not None], rule)
    if len(row) < rule.failures:
        return Closed()
    last = row[-1].ended or 0.0
    why = f"its last {len(row)} runs failed ({row[-1].cause.replace('_', ' ')})"
    if now < last + rule.pause:
        return Open(last + rule.pause, why)
    if any(run.ended is None and run.began >= last for run in known):
        return Open(now + rule.pause, f"{why}, and a try is under way")
    return Probe(why)


def _failures_at_the_end(ended: list[Past], rule: BreakerRule) -> list[Past]:
    """The newest failures without a success since, the oldest first, when enough of them fall into one window."""
    row: list[Past] = []
    for run in reversed(ended):
        if run.cause in FAILURES:
            row.insert(0, run)
        elif run.cause not in ("stopped", "setup"):
            break
    times = [run.ended or 0.0 for run in row]
    near = any(
        times[n + rule.failures - 1] - times[n] <= rule.window
        for n in range(len(times) - rule.failures + 1)
    )
    return row if near else []
