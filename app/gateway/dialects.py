"""What a model API's dialect is to the gateway. One small module each; this is the seam for the next."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from app.domain.base import Value
from app.gateway.prices import Usage
from app.gateway.reservation import Bounds


class Route(Value, frozen=True, kw_only=True):
    """An exact method and path that is served, and where it goes. Everything else does not exist."""

    method: str
    path: str
    upstream: str
    metered: bool
    """Whether the provider charges for it."""


class Call(msgspec.Struct, frozen=True):
    """A request that may be made, read into what the gateway decides by."""

    body: dict[str, Any]
    model: str
    """As the agent named it."""
    bounds: Bounds


class Objection(Value, frozen=True, kw_only=True):
    """A request that will not be made."""

    status: int
    why: str


class Meter(Protocol):
    """Reads the usage out of one reply."""

    @property
    def complete(self) -> bool:
        """Whether the provider told the final numbers."""
        ...

    @property
    def usage(self) -> Usage: ...

    def feed(self, data: bytes) -> None: ...

    def end(self) -> None: ...


class Dialect(Protocol):
    """How one kind of model API looks on the wire. Pure: no I/O."""

    @property
    def provider(self) -> str:
        """Whose price list holds for it."""
        ...

    @property
    def routes(self) -> tuple[Route, ...]: ...

    def key(self, headers: Mapping[str, str]) -> str:
        """The key a request presents; empty without one."""
        ...

    def read(self, route: Route, body: bytes, bytes_per_token: int) -> Call | Objection:
        """Read a request, and object to what must not be sent."""
        ...

    def write(self, call: Call, model: str, output: int) -> bytes:
        """The request to send: with the provider's model id and an output limit, otherwise as it came."""
        ...

    def meter(self, call: Call, *, streamed: bool) -> Meter: ...

    def sends(self, header: str) -> bool:
        """Whether a request header (in lower case) goes to the provider."""
        ...

    def returns(self, header: str) -> bool:
        """Whether a reply header (in lower case) goes to the agent."""
        ...

    def error(self, status: int, why: str) -> bytes:
        """The body of an error in the words this dialect's agents understand."""
        ...
