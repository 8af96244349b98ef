"""A host: one supervisor of several that share a database."""

from typing import Literal, TypeAlias

from app.domain.base import Value

HostState: TypeAlias = Literal["starting", "up", "down", "dead"]
"""`down` when it was stopped in peace, `dead` when the others gave it up."""


class Host(Value, frozen=True, kw_only=True):
    """One supervisor, as the others know it."""

    id: str
    """Minted once for its state directory."""
    name: str
    """What people call it; no two that live have the same."""
    epoch: int
    state: HostState
    beat: float
    """When it was last heard of, by the database's clock."""
    dead_after: float
    """Seconds of silence until it is given up."""
    capacity: int
    """Runs that may be at work there at the same time."""
    labels: tuple[str, ...] = ()
    version: str = ""
    skew: float = 0.0
    """Seconds that its clock is ahead of the database's."""
