"""A task: what the user wants."""

from typing import Literal, TypeAlias

from app.domain.base import Value
from app.domain.budget import Limits
from app.domain.cassette import Cassette
from app.domain.ids import TaskId
from app.domain.money import Micros
from app.domain.network import NetworkRules
from app.domain.outfit import Outfit
from app.domain.policy import SHIPPED, ChangePolicy

Approvals: TypeAlias = Literal["cautious", "balanced", "autonomous"]


def commit_message(goal: str) -> str:
    """Subject and body of a squashed commit: the goal, its first line as the subject."""
    first, _, rest = goal.partition("\n")
    if len(first) <= 72:
        return f"{first}\n\n{rest.strip()}".strip()
    return f"{first[:71]}…\n\n{goal}"


class Task(Value, frozen=True, kw_only=True):
    """Goal, repository, base, checks and limits; never changed once submitted."""

    id: TaskId
    goal: str
    repo: str
    """Absolute path of the user's repository."""
    target: str
    """Branch the change shall land on, for example `main`."""
    base: str
    """What the work starts from: a branch, tag or commit as the user wrote it, usually the target."""
    agent: str
    """Catalogue name of the agent asked for."""
    checks: tuple[str, ...] = ()
    """Shell commands that must succeed in a fresh sandbox before the change is shown as ready."""
    budget: Micros
    """What each run may spend at most."""
    policy: ChangePolicy = SHIPPED
    """What the user's and the repository's files said of changes when it was submitted."""
    approvals: Approvals = "balanced"
    """Name of the rules that say when the agent must ask a person inside its sandbox."""
    max_turns: int = 3
    """Turns a run may use by itself before a person looks."""
    created: float
    """Unix time, seconds."""
    submitter: str = ""
    """User name of who asked."""
    label: str = ""
    """A word of the user's own to add costs up by."""
    flow: str = ""
    """The flow that made the task, if one did."""
    limits: Limits = Limits()
    """Limits besides `budget`."""
    network: NetworkRules = NetworkRules()
    """What its runs may reach besides models."""
    outfit: Outfit = Outfit()
    """What a tree needs besides its commit."""
    cassette: Cassette = Cassette()
    """What its model traffic is recorded to, or answered from."""
    race: bool = False
    """Whether several agents work on it at the same time, under one budget."""
    home: str = ""
    """The host that has the repository; empty where there is only one host."""
    needs: tuple[str, ...] = ()
    """Labels that the host of its runs must have."""
    priority: int = 0
    """Its runs go before those with less, when several hosts share the work."""
