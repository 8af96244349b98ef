"""Walks through a request of any dialect without recursion: the body is hostile. No I/O."""

from collections.abc import Container, Iterator
from typing import Any, Final

from app.gateway.dialects import Objection

PARTS_LIMIT: Final = 200_000
"""Objects and lists a request may consist of; real ones have a few thousand."""


class TooManyParts(Exception):  # a reason to object, caught by the one who walks
    """The body has more parts than anybody can have meant."""

    @property
    def objection(self) -> Objection:
        return Objection(status=403, why=f"swarm: a request may have at most {PARTS_LIMIT} parts")


def objects(body: dict[str, Any], opaque: Container[str]) -> Iterator[dict[str, Any]]:
    """Every object of the body, the body itself first, except below keys that hold the agent's own data.

    Raises `TooManyParts`.
    """
    pending: list[object] = [body]
    for _ in range(PARTS_LIMIT):
        if not pending:
            return
        node = pending.pop()
        if isinstance(node, dict):
            yield node
            pending.extend(
                part
                for name, part in node.items()
                if name not in opaque and isinstance(part, dict | list)
            )
        elif isinstance(node, list):
            pending.extend(part for part in node if isinstance(part, dict | list))
    raise TooManyParts


def shown(value: object) -> str:
    """A value of the request, short enough for an error."""
    return repr(value)[:80]
