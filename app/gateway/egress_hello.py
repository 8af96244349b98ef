"""The host that a TLS client names at the beginning of its connection, read without taking part in it.

OpenSSL itself reads the ClientHello, so every trick with records and extensions is judged as a server would.
"""

import ssl
from typing import Final

from app.domain.network import NetworkRefusal
from app.gateway.egress_way import Refused

_LONGEST: Final = 64 * 1024
"""Bytes after which it is no ClientHello."""


class Hello:
    """Takes what the client sends until its name is known; `data` is all of it, to be passed on."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._name: str | None = None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = self._hear
        self._incoming = ssl.MemoryBIO()
        self._reader = context.wrap_bio(self._incoming, ssl.MemoryBIO(), server_side=True)

    def feed(self, data: bytes) -> str | None:
        """The name, once all of the ClientHello is there. Raises `Refused` when there will be none."""
        self.data += data
        self._incoming.write(data)
        try:
            self._reader.do_handshake()
        except ssl.SSLWantReadError:
            if len(self.data) > _LONGEST:
                raise Refused(NetworkRefusal.NOT_TLS) from None
            return None
        except ssl.SSLError:
            # Ours, once the name is there: this connection is the host's, not ours to answer.
            pass
        if self._name is None:
            raise Refused(NetworkRefusal.NOT_TLS)
        return self._name

    def _hear(self, _reader: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int:
        self._name = name
        return int(ssl.ALERT_DESCRIPTION_INTERNAL_ERROR)
