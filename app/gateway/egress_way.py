"""The way to a host of the public internet: looked up once, and dialled at an address that was looked at.

A name that leads anywhere else (this machine, its network, a cloud's metadata) is refused, even if other addresses
of it are public: what a name leads to is its owner's choice, and may change between two look-ups.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias

from app.domain.network import NetworkRefusal

PORT: Final = 443
_LOOKUP_LIMIT: Final = 8.0
_DIAL_LIMIT: Final = 5.0
"""Seconds one address is tried."""
_MOST_TRIED: Final = 3

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Lookup: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]
Dial: TypeAlias = Callable[[str, int], Awaitable[Streams]]

_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses of version 4 behind a translator (RFC 6052)."""
_LOCALLY_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b:1::/48")
"""The same within one network (RFC 8215): what they stand for is not written in them."""


class Refused(Exception):
    """A connection that is not let through."""

    def __init__(self, why: NetworkRefusal, host: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.host = host


class WayOut:
    """Opens connections. Tests hand in a `lookup` and a `dial` that know an internet of their own."""

    def __init__(self, lookup: Lookup | None = None, dial: Dial = asyncio.open_connection) -> None:
        # Names that nobody answers for hold up a thread each; those of the gateway are left alone.
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="lookup")
        self._lookup = lookup or self._by_the_system
        self._dial = dial

    async def open(self, host: str) -> Streams:
        """A connection to the host at port 443. Raises `Refused`."""
        try:
            async with asyncio.timeout(_LOOKUP_LIMIT):
                found = await self._lookup(host)
        except (OSError, TimeoutError):
            raise Refused(NetworkRefusal.NOT_FOUND, host) from None
        if not found:
            raise Refused(NetworkRefusal.NOT_FOUND, host)
        if not all(is_public(address) for address in found):
            raise Refused(NetworkRefusal.NOT_PUBLIC, host)
        for address in found[:_MOST_TRIED]:
            try:
                async with asyncio.timeout(_DIAL_LIMIT):
                    return await self._dial(address, PORT)
            except (OSError, TimeoutError):
                continue
        raise Refused(NetworkRefusal.NO_ANSWER, host)

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _by_the_system(self, host: str) -> Sequence[str]:
        def look_up() -> Sequence[str]:
            answers = socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)
            return [str(answer[4][0]) for answer in answers]

        return await asyncio.get_running_loop().run_in_executor(self._threads, look_up)


def is_public(text: str) -> bool:
    """Whether that is an address of the public internet, also by way of any address of version 4 inside it."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return all(
        one.is_global
        and not (one.is_multicast or one.is_reserved or one.is_unspecified or one.is_loopback)
        for one in (address, *_inner(address))
    )


def _inner(address: Address) -> list[Address]:
    """The addresses of version 4 that one of version 6 stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    inner: list[Address] = [*(address.teredo or ())]
    inner += [one for one in (address.ipv4_mapped, address.sixtofour) if one is not None]
    if address in _TRANSLATED:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address in _LOCALLY_TRANSLATED or address.is_site_local:
        inner.append(ipaddress.IPv4Address(0))
    return inner
