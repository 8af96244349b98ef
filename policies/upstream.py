"""What to do when a model API fails before it has said anything: wait and try again, pass it on, or rest.

A value in, a reasoned value out. The agent's own program tries again too, so this stays short.
"""

from typing import Final, TypeAlias

import msgspec

TRANSIENT: Final = frozenset({0, 408, 429, 500, 502, 503, 504, 529})
"""Statuses after which the same request can succeed; 0 is no connection at all."""
_FIRST, _GROWTH = 0.5, 2.0


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A request that the provider did not answer, and did not bill."""

    status: int
    attempt: int
    """1 for the first."""
    retry_after: float | None = None
    """Seconds the provider asks to wait."""


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How much is tried."""

    attempts: int
    longest: float
    """Seconds an agent is kept waiting for the provider at most; what takes longer parks its run."""


class Wait(msgspec.Struct, frozen=True):
    """Try again after so many seconds."""

    seconds: float


class PassOn(msgspec.Struct, frozen=True):
    """The agent gets the failure as it is."""


class Later(msgspec.Struct, frozen=True):
    """Nothing will come of it for so many seconds."""

    seconds: float


Answer: TypeAlias = Wait | PassOn | Later


def after_failure(failure: Failure, patience: Patience) -> Answer:
    """A provider that says how long is believed; else the pauses double."""
    if failure.status not in TRANSIENT:
        return PassOn()
    asked = failure.retry_after
    if asked is not None and asked > patience.longest:
        return Later(asked)
    if failure.attempt >= patience.attempts:
        return PassOn()
    pause = _FIRST * _GROWTH ** (failure.attempt - 1)
    return Wait(min(patience.longest, pause if asked is None else max(asked, pause)))
