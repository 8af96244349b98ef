"""Bodies of the local API that are about other hosts, and who may ask from afar; `app.wire` passes them on."""

from app.domain.base import Value
from app.domain.host import HostState
from app.domain.role import Role


class HostLine(Value, frozen=True, kw_only=True):
    """`GET /v1/hosts`: a host that shares this database."""

    id: str
    name: str
    state: HostState
    silent: float
    """Seconds since it was last heard of."""
    labels: tuple[str, ...] = ()
    busy: int = 0
    """Runs that are at work there."""
    capacity: int = 0
    version: str = ""
    skew: float = 0.0
    """Seconds that its clock is ahead."""
    here: bool = False
    """Whether it is the one that answers."""


class NewToken(Value, frozen=True, kw_only=True):
    """`POST /v1/tokens`: let somebody ask over the network."""

    name: str
    role: Role
    by: str = ""


class Token(Value, frozen=True, kw_only=True):
    """The answer: told once, and kept nowhere."""

    name: str
    role: Role
    token: str


class TokenLine(Value, frozen=True, kw_only=True):
    """`GET /v1/tokens`: who may ask over the network."""

    name: str
    role: Role
    made: float
    by: str
    revoked: float | None = None
