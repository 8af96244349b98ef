"""The one request the way out serves, `CONNECT host:443`, read by h11's state machine."""

from typing import Final

import h11

from app.domain.hosts import is_host
from app.domain.network import NetworkRefusal
from app.gateway.egress_way import Refused

_HEAD_LIMIT: Final = 8 * 1024
_SHOWN: Final = 100
"""Characters of what was asked for that are kept."""
_PORT: Final = ":443"
CONNECTED: Final = b"HTTP/1.1 200 connected\r\n\r\n"
"""The reply after which the connection is the client's and the host's."""


class Asking:
    """Takes bytes until a request is there."""

    def __init__(self) -> None:
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_LIMIT)

    def feed(self, data: bytes) -> str | None:
        """The host, once all of the request is there. Raises `Refused`."""
        try:
            self._http.receive_data(data)
            event = self._http.next_event()
        except h11.RemoteProtocolError:
            raise Refused(NetworkRefusal.NOT_A_REQUEST) from None
        if event is h11.NEED_DATA:
            return None
        if not isinstance(event, h11.Request):
            raise Refused(NetworkRefusal.NOT_A_REQUEST)
        return _host_of(event)

    @property
    def early(self) -> bytes:
        """What the client sent behind the request without waiting for the reply."""
        return bytes(self._http.trailing_data[0])


def refusal(why: NetworkRefusal, host: str) -> bytes:
    """The reply that says why; clients show its first line."""
    status = 405 if why is NetworkRefusal.NOT_CONNECT else 403
    named = f" {host}" if is_host(host) else ""
    words = f"swarm refuses{named}: {why}".encode("ascii")
    return (
        b"HTTP/1.1 %d %b\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n"
        b"connection: close\r\n\r\n%b\n" % (status, words, len(words) + 1, words)
    )


def _host_of(request: h11.Request) -> str:
    target = request.target.decode("latin-1")
    shown = target[:_SHOWN]
    if request.method != b"CONNECT":
        raise Refused(NetworkRefusal.NOT_CONNECT, shown)
    host = target.removesuffix(_PORT)
    if not target.endswith(_PORT) or not is_host(host):
        raise Refused(NetworkRefusal.NOT_A_HOST, shown)
    for name, value in request.headers:
        if name == b"host" and value.lower() not in (host.encode(), target.encode()):
            other = f"{host}, Host: {value.decode('latin-1')}"
            raise Refused(NetworkRefusal.NOT_A_HOST, other[:_SHOWN])
        if name in (b"content-length", b"transfer-encoding"):
            raise Refused(NetworkRefusal.NOT_A_REQUEST, host)
    return host
