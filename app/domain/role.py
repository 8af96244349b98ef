"""What somebody may do who asks over the network. Each role may do all that those before it may."""

from enum import StrEnum


class Role(StrEnum):
    VIEWER = "viewer"
    """Looks."""
    OPERATOR = "operator"
    """Gives work, steers it, stops it; within the limits of the configuration."""
    APPROVER = "approver"
    """Decides: what lands, what agents may do, what may be spent."""
    ADMIN = "admin"
    """Whoever owns the supervisor."""

    def covers(self, least: "Role") -> bool:
        """Whether this role may do what needs at least the other."""
        order = list(Role)
        return order.index(self) >= order.index(least)
