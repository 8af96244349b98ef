"""Who asks, and what that person may do. Whoever can open the unix socket owns the supervisor."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias, TypeVar

import msgspec
from starlette.requests import Request

from app import wire
from app.domain.errors import NotAllowed
from app.domain.role import Role

T = TypeVar("T")


class Caller(msgspec.Struct, frozen=True):
    """Somebody who asks."""

    name: str
    """Empty for the owner, who says who is at the keyboard."""
    role: Role


Gate: TypeAlias = Callable[[Request], Awaitable[Caller]]
_OWNER: Final = Caller("", Role.ADMIN)


async def owner(_request: Request) -> Caller:
    """The gate of the unix socket."""
    return _OWNER


def by_token(holder: Callable[[str], Awaitable[wire.TokenLine]]) -> Gate:
    """The gate of the network: `authorization: Bearer TOKEN`, or nothing at all."""

    async def gate(request: Request) -> Caller:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        found = await holder(token.strip() if kind.lower() == "bearer" else "")
        return Caller(found.name, found.role)

    return gate


def caller(request: Request) -> Caller:
    found: Caller = request.state.caller
    return found


def demand(request: Request, least: Role) -> None:
    """Raises `NotAllowed` when the caller's role is not enough."""
    asks = caller(request)
    if not asks.role.covers(least):
        raise NotAllowed(
            f"this needs the role {least}, and {asks.name} is {asks.role}",
            hint="Ask whoever runs this supervisor.",
        )


def widens(body: object) -> Role:
    """The least role for what the body asks beyond its verb: money, network, rules, files of the host."""
    match body:
        case wire.NewTask(cassette=cassette) if cassette.record or cassette.replay:
            return Role.ADMIN
        case wire.Answer(scope="always"):
            return Role.ADMIN
        case wire.NewTask(budget=int()) | wire.Resume(budget=int()):
            return Role.APPROVER
        case wire.NewTask(allow_network=(_, *_)):
            return Role.APPROVER
        case _:
            return Role.VIEWER


def signed(request: Request, body: T) -> T:
    """The body, said by whoever the token names, whatever the body says."""
    name = caller(request).name
    fields: tuple[str, ...] = getattr(body, "__struct_fields__", ())
    said: dict[str, Any] = {each: name for each in ("by", "submitter") if each in fields}
    if not name or not said:
        return body
    return msgspec.structs.replace(body, **said)  # type: ignore[type-var]
