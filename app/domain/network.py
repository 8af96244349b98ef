"""What a run asked of the network besides models, and what became of it."""

import re
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from app.domain.base import Value

_PROXY: Final = re.compile(r"https?://([^\s/?#@]+@)?[A-Za-z0-9._\[\]:-]+/?")


class NetworkRefusal(StrEnum):
    """Why a connection was refused or cut. A closed list, so that an agent cannot fill tables with reasons."""

    NOT_A_REQUEST = "it is not a request to a proxy"
    NOT_CONNECT = "only CONNECT is served"
    NOT_A_HOST = "it is not the plain name of a host at port 443"
    NOT_ALLOWED = "it is not allowed for this run"
    NOT_FOUND = "the name cannot be looked up"
    NOT_PUBLIC = "it leads to an address that is not of the public internet"
    NO_ANSWER = "nothing answers there"
    NOT_TLS = "what was sent is not the beginning of TLS with a host's name"
    OTHER_NAME = "TLS was begun with the name of another host"
    SPENT = "the run has used up what it may send and receive"
    FLOOD = "too many connections at a time or in a minute"
    LATE = "the connection was opened and not used"


class NetworkRules(Value, frozen=True, kw_only=True):
    """What a task's runs may reach besides models."""

    hosts: tuple[str, ...] = ()
    """Full names; nothing when empty."""
    bytes: int = 0
    """What one run may send and receive that way, all in all."""


class Knock(Value, frozen=True, kw_only=True):
    """News of connections to one host: how many more there were, and what more passed."""

    host: str
    """As it was asked for, cut; empty when none was."""
    refused: NetworkRefusal | None = None
    """None for what was let through."""
    times: int = 1
    sent: int = 0
    """Bytes from the agent."""
    received: int = 0
    """Bytes to the agent."""


class NetworkRow(Value, frozen=True, kw_only=True):
    """All connections of a run to one host that ended the same way."""

    host: str
    allowed: bool
    why: str = ""
    """Why not, when it was refused."""
    times: int
    sent: int
    received: int
    first: float
    """Unix time, seconds."""
    last: float


def size_text(count: int) -> str:
    """`512 B`, `1.5 MB`: bytes for people."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.1f} {unit}" if unit != "B" else f"{count} B"
        size /= 1000
    return f"{size:.1f} GB"


class Grant(Value, frozen=True, kw_only=True):
    """A host that a person allowed while the run was under way."""

    host: str
    by: str
    at: float


def is_http_proxy(address: str) -> bool:
    """Whether it is the address of an HTTP proxy, such as `http://user:word@proxy.example.com:3128`."""
    try:
        parts = urlsplit(address)
        return bool(_PROXY.fullmatch(address) and parts.hostname) and parts.port != 0
    except ValueError:
        return False
