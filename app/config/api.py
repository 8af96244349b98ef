"""Settings of the API over the network; without them there is only the unix socket."""

import re
from typing import Annotated

from pydantic import BeforeValidator, model_validator

from app.config.section import Section

_LISTEN = re.compile(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+):([0-9]{1,5})")


def listen_of(value: object) -> str:
    """`HOST:PORT`, or nothing."""
    if value == "":
        return ""
    match = _LISTEN.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[2]) > 65535:
        raise ValueError("should be an address and a port, such as 0.0.0.0:7433 or [::1]:7433")
    return str(value)


class ApiSettings(Section):
    """The API over the network: TLS, and a token for everybody who asks (`swarm token add`)."""

    listen: Annotated[str, BeforeValidator(listen_of)] = ""
    """Address and port, for example `0.0.0.0:7433`; empty for the unix socket alone."""
    certificate: str = ""
    """PEM file with the certificate, and those that vouch for it."""
    key: str = ""
    """PEM file with its private key."""

    @model_validator(mode="after")
    def _with_tls(self) -> "ApiSettings":
        if self.listen and not (self.certificate and self.key):
            raise ValueError(
                "needs `certificate` and `key` with `listen`: nothing is served in the clear"
            )
        return self
