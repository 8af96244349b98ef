"""Events as server-sent events. Each carries its number as `id`, so a reader resumes where it stopped."""

import asyncio
from collections.abc import AsyncIterator

from app import wire
from app.domain.events import Event

HEARTBEAT_SECONDS = 15.0
"""After so long without an event a comment is sent, so that a vanished reader is noticed."""


async def server_sent(events: AsyncIterator[Event | int]) -> AsyncIterator[bytes]:
    """`data:` per event; `event: caught-up` once when all there was has been sent."""
    upcoming = asyncio.ensure_future(anext(events))
    try:
        while True:
            done, _ = await asyncio.wait({upcoming}, timeout=HEARTBEAT_SECONDS)
            if not done:
                yield b": still here\n\n"
                continue
            try:
                item = upcoming.result()
            except StopAsyncIteration:
                return
            yield _block(item)
            upcoming = asyncio.ensure_future(anext(events))
    finally:
        upcoming.cancel()


def _block(item: Event | int) -> bytes:
    match item:
        case Event():
            return b"id: %d\ndata: %s\n\n" % (item.seq, wire.encode(item))
        case int():
            return b"event: caught-up\nid: %d\n\n" % item
