"""Where a supervisor is: at a unix socket of this machine, or at the end of a TLS connection."""

import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from app.domain.errors import UsageError

URL: Final = "SWARM_URL"
TOKEN: Final = "SWARM_TOKEN"  # noqa: S105 - the name of a variable
CA: Final = "SWARM_CA"
PORT: Final = 7433


@dataclass(frozen=True, slots=True)
class Remote:
    """A supervisor that is asked over the network."""

    host: str
    port: int
    token: str = field(repr=False)
    ca: str = ""
    """PEM file with the authority that vouches for it; empty for the system's."""

    def __str__(self) -> str:
        return f"https://{self.host}:{self.port}"

    @property
    def credentials(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()


Way: TypeAlias = Path | Remote


def elsewhere() -> Way | None:
    """The supervisor that `SWARM_URL` names, if it does: `unix:PATH` or `https://HOST[:PORT]`."""
    url = os.environ.get(URL, "")
    return way_of(url) if url else None


def way_of(url: str) -> Way:
    """Where that address leads. Raises `UsageError`."""
    parts = urlsplit(url)
    if parts.scheme == "unix" and parts.path:
        return Path(parts.path)
    if parts.scheme == "https" and parts.hostname and parts.path in ("", "/") and not parts.query:
        if parts.username or parts.password:
            raise UsageError("a token does not belong into an address", hint=f"Set {TOKEN}.")
        return Remote(parts.hostname, parts.port or PORT, _token(), os.environ.get(CA, ""))
    raise UsageError(
        f"{url!r} names no supervisor",
        hint="Write unix:/path/to/a/socket, or https://HOST:PORT.",
    )


def _token() -> str:
    """From `SWARM_TOKEN`, or the file that `SWARM_TOKEN_FILE` names. Raises `UsageError`."""
    if token := os.environ.get(TOKEN, "").strip():
        return token
    file = os.environ.get(f"{TOKEN}_FILE", "")
    try:
        return Path(file).expanduser().read_text(encoding="ascii").strip() if file else ""
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{TOKEN}_FILE names {file}, which cannot be read: {error}") from None


def trust(remote: Remote) -> ssl.SSLContext:
    """Certificates are always checked. Raises `UsageError` when `SWARM_CA` is none."""
    try:
        return ssl.create_default_context(cafile=remote.ca or None)
    except OSError as error:
        raise UsageError(f"{CA} names {remote.ca}, which cannot be used: {error}") from None
