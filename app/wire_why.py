"""Body of the local API that says why a run is in its state; `app.wire` passes it on."""

from collections.abc import Callable
from typing import Literal, TypeAlias

from app.domain.base import Value
from app.domain.ids import RunId

Source: TypeAlias = Literal["swarm", "sandbox", "check", "gateway", "monitor", "host", "agent"]
"""Who says so: swarm's own tables, the sandbox that ran a program, a check in a fresh one, the proxy that all
model calls pass, a rule that watches, the host that has the run, or the agent itself."""
Certainty: TypeAlias = Literal["known", "claimed", "guessed"]
"""Swarm did or measured it; the agent's word, which proves nothing; or concluded from what is known."""


class Fact(Value, frozen=True, kw_only=True):
    """One thing that is known of a run."""

    what: str
    source: Source = "swarm"
    seen: float | None = None
    """Unix time at which it was so; None for now."""
    certainty: Certainty = "known"

    def origin(self, age: str) -> str:
        """Source, age and how sure it is: `gateway, now`, `agent, 9s ago, its word only`; no `age` is now."""
        words = {"known": "", "claimed": "its word only", "guessed": "a conclusion"}[self.certainty]
        return ", ".join(filter(None, (self.source, f"{age} ago" if age else "now", words)))


class Why(Value, frozen=True, kw_only=True):
    """`GET /v1/runs/{id}/why`: the state and the evidence for it."""

    run: RunId
    state: str
    reason: str
    now: float
    """The supervisor's clock, to tell the age of the evidence by."""
    evidence: tuple[Fact, ...]
    next: tuple[str, ...]
    """Commands that make sense now."""

    @property
    def words(self) -> tuple[str, ...]:
        """The evidence without its origin."""
        return tuple(fact.what for fact in self.evidence)

    def origin(self, fact: Fact, age: Callable[[float], str]) -> str:
        """Of one of its facts; `age` puts seconds into words."""
        return fact.origin("" if fact.seen is None else age(max(0.0, self.now - fact.seen)))
