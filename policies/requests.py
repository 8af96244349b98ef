"""What a policy is asked about, in swarm's words, so that rules do not change when an agent renames a tool."""

from typing import Literal, TypeAlias

import msgspec

ActionKind: TypeAlias = Literal[
    "read", "edit", "delete", "move", "search", "execute", "think", "fetch", "other"
]


class ActionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An agent wants to use a tool inside its sandbox."""

    action: ActionKind
    tool: str = ""
    """The tool's name in the agent's words."""
    detail: str = ""
    """The command, pattern or address, as text."""
    paths: tuple[str, ...] = ()


class CheckFact(msgspec.Struct, frozen=True):
    """How one check of the run ended."""

    command: str
    passed: bool


class MergeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A reviewed change is about to land."""

    approved_tree: str
    """Tree id the person approved."""
    result_tree: str
    """Tree id that would land now."""
    approved_tip: str
    target_tip: str
    checks: tuple[CheckFact, ...] = ()
    conflicts: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    """Findings of the path policy that nobody may approve."""


class TurnFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when a turn has ended and its checks have run."""

    attempts: int
    """Turns of this round so far, this one included."""
    limit: int
    """Turns a round may have."""
    changed: bool
    """Whether the tree differs from the base."""
    agent_failed: bool
    lost: bool
    """Whether the program vanished (reboot, out of memory, killed)."""
    starved: bool = False
    """Whether it was memory that ran out."""
    over_budget: bool
    limit_hit: str = ""
    """Which limit that was, in words for a person."""
    outage: str = ""
    """The model API that failed when it was called last."""
    unheard: str = ""
    """The turn's prompt, if the program ended before it had opened a conversation to hear it in."""
    resumed: bool = False
    """Whether that would have been an earlier turn's conversation."""
    checks: tuple[CheckFact, ...] = ()
