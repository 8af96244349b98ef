"""What comes after a turn: a person's look, another turn, a pause, or the end."""

from typing import TypeAlias

import msgspec

from policies.requests import TurnFacts


class Review(msgspec.Struct, frozen=True, tag="review"):
    """A person should look at what there is."""

    reason: str


class Again(msgspec.Struct, frozen=True, tag="again"):
    """The agent gets another turn, with this prompt; the caller adds the end of the check's output."""

    prompt: str


class Park(msgspec.Struct, frozen=True, tag="park"):
    """Nothing more can be done now; it goes on where it stopped when a person resumes it."""

    reason: str


class Fail(msgspec.Struct, frozen=True, tag="fail"):
    """This run has ended without anything to look at."""

    reason: str


Next: TypeAlias = Review | Again | Park | Fail
"""The closed union of what may follow a turn."""


def after_turn(facts: TurnFacts) -> Next:
    """The budget decides first, then how the program ended, then the checks, then the turns left."""
    if facts.over_budget:
        return Park(reason=facts.limit_hit or "the run's budget is spent")
    left = facts.attempts < facts.limit
    if facts.lost:
        return _after_loss(facts, left=left)
    if facts.agent_failed and facts.outage:
        return Park(
            reason=f"the model API {facts.outage!r} does not answer; it goes on by itself once that does"
        )
    if facts.agent_failed and facts.resumed and facts.unheard:
        return _after_forgetting(facts, left=left)
    if facts.agent_failed:
        return _after_failure(facts)
    if not facts.changed:
        return Fail(reason="the agent ended its turn without changing any file")
    return _after_checks(facts, left=left)


def _after_loss(facts: TurnFacts, *, left: bool) -> Next:
    if left and facts.unheard:
        return Again(prompt=facts.unheard)
    if left:
        why = "ran out of memory" if facts.starved else "was stopped from outside"
        care = " Use less memory at a time this time." if facts.starved else ""
        return Again(
            prompt=f"Your program {why} before it was done. The files are as you left them. "
            f"Look at what is there, and go on with the task.{care}"
        )
    how = "ran out of memory" if facts.starved else "was lost"
    return Fail(
        reason=f"the agent's program {how}, and all {facts.limit} turns are used{_kept(facts)}"
    )


def _after_forgetting(facts: TurnFacts, *, left: bool) -> Next:
    if left:
        return Again(prompt=facts.unheard)
    return Fail(
        reason=f"the agent could not open its conversation, and all {facts.limit} turns are used{_kept(facts)}"
    )


def _after_failure(facts: TurnFacts) -> Next:
    # The agent's own program already retried what can be retried: the same prompt would fail the same way.
    return Fail(reason=f"the agent ended with an error{_kept(facts)}")


def _kept(facts: TurnFacts) -> str:
    return "; what it changed is kept on its branch" if facts.changed else "; nothing was changed"


def _after_checks(facts: TurnFacts, *, left: bool) -> Next:
    failed = [check.command for check in facts.checks if not check.passed]
    if not facts.checks:
        return Review(reason="the agent is done; no checks are set")
    if not failed:
        return Review(reason="the agent is done and every check passed")
    named = ", ".join(f"`{command}`" for command in failed)
    if left:
        return Again(
            prompt=f"Your change is not done yet: {named} failed when it was run on your files in a fresh "
            "sandbox. Find out why, mend the cause rather than the check, and finish the task."
        )
    return Review(reason=f"{named} still failed after {facts.limit} turns")
