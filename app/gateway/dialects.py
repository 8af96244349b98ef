"""What a model API's dialect is to the gateway. One small module each; this is the seam for the next."""

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec

from app.domain.base import Value
from app.domain.money import Micros
from app.gateway.prices import Usage
from app.gateway.reservation import Bounds
from app.gateway.settings import DialectName
from harnesses.base import StopDialect

MODEL: Final = "{model}"
_NAMED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
"""What may stand in a path for a model: no dots before a name, nothing encoded."""
_NAME_LIMIT: Final = 200


class Route(Value, frozen=True, kw_only=True):
    """An exact method and path that is served, and where it goes. Everything else does not exist."""

    method: str
    path: str
    """`{model}` in it stands for a model's name, in the dialect that puts it there."""
    upstream: str
    metered: bool
    """Whether the provider charges for it."""
    query: str = ""
    """The one query that goes along where a client adds it; everything else stays here."""
    needs_query: bool = False
    """Whether it is served only with that query."""
    model: str = ""
    """The model that the path of a request names."""

    def serving(self, method: str, path: str, query: str) -> "Route | None":
        """This route with the request's own path, when it serves that."""
        lacks = self.needs_query and self.query not in query.split("&")
        if method != self.method or lacks:
            return None
        before, named, after = self.path.partition(MODEL)
        if not named:
            return self if path == self.path else None
        model = path.removeprefix(before).removesuffix(after)
        if path != before + model + after or len(model) > _NAME_LIMIT:
            return None
        if not _NAMED.fullmatch(model):
            return None
        return msgspec.structs.replace(self, path=path, model=model)


class Call(msgspec.Struct, frozen=True):
    """A request that may be made, read into what the gateway decides by."""

    body: dict[str, Any]
    model: str
    """As the agent named it."""
    bounds: Bounds
    streamed: bool
    """Whether the reply is to come as a stream of events."""


class Objection(Value, frozen=True, kw_only=True):
    """A request that will not be made."""

    status: int
    why: str
    until: float | None = None
    """Unix time at which it may be made after all."""


class Meter(Protocol):
    """Reads the usage out of one reply."""

    @property
    def complete(self) -> bool:
        """Whether the provider told the final numbers."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the reply said that it is whole; one that did not is never ended properly."""
        ...

    @property
    def cost(self) -> Micros | None:
        """What the provider itself says the call cost, where it says so."""
        ...

    @property
    def usage(self) -> Usage: ...

    def feed(self, data: bytes) -> None: ...

    def end(self) -> None: ...


class Dialect(Protocol):
    """How one kind of model API looks on the wire. Pure: no I/O."""

    @property
    def name(self) -> DialectName: ...

    @property
    def provider(self) -> str:
        """Whose price list holds where the provider's address says nothing."""
        ...

    @property
    def routes(self) -> tuple[Route, ...]: ...

    @property
    def broken_off(self) -> bytes:
        """What a stream that broke off ends with; empty where nothing does as well as to cut the connection."""
        ...

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

    def refusal(self, stop: StopDialect, status: int, why: str) -> tuple[int, bytes]:
        """Status and body after which an agent of that kind stops at once."""
        ...

    def error(self, status: int, why: str) -> bytes:
        """The body of an error in the words this dialect's agents understand."""
        ...


def key_of(headers: Mapping[str, str], *others: str) -> str:
    """The bearer token, else the first of the other headers that is there; empty without any."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return next((headers[name] for name in others if name in headers), "")


def read_json(body: bytes) -> dict[str, Any] | Objection:
    """The JSON object a request is."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return Objection(status=400, why=f"the request is not a JSON object: {error}")


def read_object(body: bytes) -> dict[str, Any] | Objection:
    """The JSON object a request is, which names its model."""
    asked = read_json(body)
    if isinstance(asked, Objection):
        return asked
    if not isinstance(asked.get("model"), str):
        return Objection(status=400, why="model: a string is required")
    return asked
