"""Whether another agent goes on when a run came to rest: only between runs, never inside a conversation."""

from typing import Final, TypeAlias

import msgspec

from policies.breaker import EndCause

DEFAULT: Final[tuple[EndCause, ...]] = ("crash", "error", "outage", "rate_limit", "stuck", "checks")

WORDS: Final[dict[EndCause, str]] = {
    "crash": "its program was lost",
    "error": "it ended with an error",
    "outage": "its model could not be called",
    "rate_limit": "its provider asks to wait",
    "stuck": "it changed nothing",
    "checks": "its change does not pass the checks",
    "budget": "its budget is used up",
}


class FallbackRule(msgspec.Struct, frozen=True, kw_only=True):
    """When, and how often."""

    after: tuple[EndCause, ...] = DEFAULT
    hops: int = 2
    """Runs of a task that may be started in this way."""


class EndFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when a run has come to rest."""

    cause: EndCause
    newest: bool
    """Whether no other run of the task was started since."""
    alone: bool
    """Whether it does not race with others."""
    hops: int
    """Runs of the task that were started in this way so far."""
    left: int
    """Micro-dollars the next run may spend."""
    others: int
    """Candidates that have not worked on the task yet."""


class Hop(msgspec.Struct, frozen=True):
    """Another agent goes on."""

    why: str


class Stay(msgspec.Struct, frozen=True):
    """It stays as it is; a person sees to it."""

    why: str


Following: TypeAlias = Hop | Stay


def after_end(facts: EndFacts, rule: FallbackRule) -> Following:
    """The choice between the two; a hop never spends more than was given for the task."""
    if facts.cause not in rule.after or facts.cause not in WORDS:
        return Stay("this is no reason to change the agent")
    if not facts.newest or not facts.alone:
        return Stay("other runs of the task go on")
    if not facts.others:
        return Stay("nobody else is named for the task")
    if facts.hops >= rule.hops:
        return Stay(f"the task was handed on {facts.hops} times already")
    if facts.left <= 0:
        return Stay("nothing is left of the task's budget")
    return Hop(WORDS[facts.cause])
