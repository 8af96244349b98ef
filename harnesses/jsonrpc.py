"""JSON-RPC 2.0 on lines, as agents speak it: one typed value per line in, one line per message out.

Whether a message carries `"jsonrpc": "2.0"` is up to the protocol: Codex leaves it out, the Agent Client
Protocol has it.
"""

from typing import Any, Final, TypeAlias

import msgspec

from harnesses.text import sound

MethodId: TypeAlias = int | str
METHOD_NOT_FOUND: Final = -32601
_NOTHING: Final = msgspec.Raw(b"{}")


class Fault(msgspec.Struct, frozen=True):
    """Why a request failed."""

    code: int = 0
    message: str = ""
    data: Any = None


class Request(msgspec.Struct, frozen=True):
    """The agent wants an answer."""

    id: MethodId
    method: str
    params: msgspec.Raw


class Notice(msgspec.Struct, frozen=True):
    """The agent says something."""

    method: str
    params: msgspec.Raw


class Reply(msgspec.Struct, frozen=True):
    """The answer to a request of ours."""

    id: MethodId
    result: msgspec.Raw
    fault: Fault | None = None


class Broken(msgspec.Struct, frozen=True):
    """Not a message of this protocol."""

    why: str


Message: TypeAlias = Request | Notice | Reply | Broken


class _Envelope(msgspec.Struct, frozen=True):
    id: MethodId | None = None
    method: str | None = None
    params: msgspec.Raw = _NOTHING
    result: msgspec.Raw = msgspec.Raw()
    error: Fault | None = None


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)


def read(line: str) -> Message:
    """The line as a message; never raises."""
    try:
        found = _ENVELOPE.decode(sound(line))
    except (ValueError, RecursionError) as error:
        return Broken(str(error)[:200])
    if found.method is not None:
        if found.id is not None:
            return Request(found.id, found.method, found.params)
        return Notice(found.method, found.params)
    if found.id is not None and (bytes(found.result) or found.error is not None):
        return Reply(found.id, found.result, found.error)
    return Broken("it is no JSON-RPC message: it has neither a method nor a result")


def request(id_: MethodId, method: str, params: Any, **more: Any) -> str:
    """A request as a line; `more` stands beside the usual keys."""
    return _line({**more, "id": id_, "method": method, "params": params})


def notice(method: str, params: Any = None, **more: Any) -> str:
    """A notification as a line."""
    return _line({**more, "method": method} | ({} if params is None else {"params": params}))


def reply(id_: MethodId, result: Any, **more: Any) -> str:
    """The answer to a request of the agent's, as a line."""
    return _line({**more, "id": id_, "result": result})


def unknown(id_: MethodId, method: str, **more: Any) -> str:
    """The answer to a request that swarm does not serve."""
    error = {"code": METHOD_NOT_FOUND, "message": f"swarm does not serve {method[:60]}"}
    return _line({**more, "id": id_, "error": error})


def _line(message: Any) -> str:
    return msgspec.json.encode(message).decode()
