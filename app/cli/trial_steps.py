"""How far an agent came with its test: each step from what was seen of the run, and what to do where it ended."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec

from app.domain.events import Body, Event, Refused, Spent, TurnStarted, UpstreamFailed
from app.domain.money import Micros, dollars
from harnesses.events import SessionStarted, TurnEnded

T = TypeVar("T")
FILE: Final = "self-test.txt"
WORD: Final = "hello"


class Step(msgspec.Struct, frozen=True):
    """One thing that has to work."""

    name: str
    ok: bool | None
    """None: an earlier step failed, so it was not come to."""
    found: str = ""
    """What was seen, or what went wrong."""
    fix: str = ""
    """What to do when it failed."""


@dataclass
class Seen:
    """What is known of the test so far."""

    agent: str
    run: str = ""
    lacks: str = ""
    """Why it cannot be given work at all."""
    scripted: bool = False
    """Whether it replays a script, and needs no model."""
    bodies: list[Body] = field(default_factory=list)
    reviewed: bool = False
    """Whether its change came to be reviewed."""
    reason: str = ""
    """Why the run is where it is, in swarm's words."""
    diff: bytes = b""
    allowed: int = 0
    """Questions that were answered with yes."""

    def hear(self, event: Event) -> None:
        self.bodies.append(event.body)

    def of(self, kind: type[T]) -> list[T]:
        """All events of that kind, oldest first."""
        return [body for body in self.bodies if isinstance(body, kind)]


def steps_of(seen: Seen) -> tuple[Step, ...]:
    """Every step in its order; after one that failed, those that were not reached either are not judged."""
    judged: list[Step] = []
    broken = False
    for step in _steps(seen):
        skipped = broken and not step.ok
        judged.append(Step(step.name, ok=None) if skipped else step)
        broken = broken or not step.ok
    return tuple(judged)


def _steps(seen: Seen) -> Iterator[Step]:
    yield _ready(seen)
    yield _sandbox(seen)
    yield _start(seen)
    yield _model(seen)
    yield _usage(seen)
    yield _edit(seen)
    yield _end(seen)


def _ready(seen: Seen) -> Step:
    if seen.lacks:
        return Step(
            "ready", ok=False, found=seen.lacks, fix="`swarm agents` lists what each lacks."
        )
    return Step("ready", ok=True, found="it is configured, and a provider serves its model")


def _sandbox(seen: Seen) -> Step:
    if seen.of(TurnStarted):
        return Step("sandbox", ok=True, found="it is made, and the program was started in it")
    fix = f"`swarm doctor` says what is missing; `swarm image build {seen.agent}` makes its image."
    return Step("sandbox", ok=False, found=seen.reason, fix=fix)


def _start(seen: Seen) -> Step:
    if begun := seen.of(SessionStarted):
        who = " ".join(filter(None, (begun[0].model, begun[0].version)))
        return Step("start", ok=True, found=f"it speaks its protocol: {who}".rstrip(": "))
    fix = (
        f"See what it printed: `swarm logs {seen.run}`. `swarm image build {seen.agent}` installs the version "
        "that swarm was tested with."
    )
    return Step("start", ok=False, found=_trouble(seen), fix=fix)


def _model(seen: Seen) -> Step:
    if answered := [spent for spent in seen.of(Spent) if spent.known != "held"]:
        models = ", ".join(sorted({spent.model for spent in answered}))
        return Step("model", ok=True, found=f"answered {_times(len(answered))}: {models}")
    if seen.scripted and not seen.of(Refused) and not seen.of(UpstreamFailed):
        return Step("model", ok=True, found="it replays a script, and asked none")
    return Step("model", ok=False, found=_trouble(seen), fix=_model_fix(seen))


def _model_fix(seen: Seen) -> str:
    refused = seen.of(Refused)
    if refused and refused[-1].budget:
        return "Its first call may cost more than the test: give it more by --budget."
    if failed := seen.of(UpstreamFailed):
        name, last = failed[-1].upstream, failed[-1].status
        if last in {401, 403}:
            return f"Look at the key: `gateway.upstreams.{name}.key` in the configuration."
        return f"Look at `gateway.upstreams.{name}` in the configuration, and whether it is up."
    return f"See what it did instead: `swarm logs {seen.run}`."


def _usage(seen: Seen) -> Step:
    paid = seen.of(Spent)
    if not paid:
        return Step("usage", ok=seen.scripted, found="nothing was used" if seen.scripted else "")
    tokens = f"{sum(_sent(s) for s in paid):,} tokens in, {sum(s.output for s in paid):,} out"
    found = f"{tokens}, {dollars(Micros(sum(s.micros for s in paid)))}"
    held = sum(spent.known == "held" for spent in paid)
    if held:
        fix = "The provider did not say what it used, so the most it can be was charged."
        return Step("usage", ok=False, found=f"{found}; unknown for {_times(held)}", fix=fix)
    return Step("usage", ok=True, found=found)


def _edit(seen: Seen) -> Step:
    if FILE.encode() in seen.diff and f"+{WORD}".encode() in seen.diff:
        asked = f"; it asked {_times(seen.allowed)}" if seen.allowed else ""
        return Step("edit", ok=True, found=f"{FILE} is written{asked}")
    fix = f"See what it did: `swarm logs {seen.run}`. A small model may not know how to use tools."
    return Step("edit", ok=False, found=f"{FILE} is not as asked. {_trouble(seen)}", fix=fix)


def _end(seen: Seen) -> Step:
    if seen.reviewed:
        return Step("end", ok=True, found="it ended its turn, and its change could be reviewed")
    fix = f"See `swarm why {seen.run}`. More time: --seconds."
    return Step("end", ok=False, found=seen.reason, fix=fix)


def _trouble(seen: Seen) -> str:
    """The nearest words there are about what went wrong: of the provider, the gateway, the agent, or swarm."""

    said = [failed.words() for failed in seen.of(UpstreamFailed)[-1:]]
    said += [refused.why for refused in seen.of(Refused)[-1:]]
    said += [ended.error for ended in seen.of(TurnEnded)[-1:] if ended.error]
    return said[0] if said else seen.reason


def _sent(spent: Spent) -> int:
    return spent.input + spent.cache_read + spent.cache_write


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
