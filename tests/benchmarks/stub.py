"""A model provider as fast as Python can be one: 20 events a request, or below `/hang` two and no end.

A process of its own: `python -m tests.benchmarks.stub`; the first line of output is its address.
"""

import asyncio
import sys

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message",'
    b'"role":"assistant","content":[],"usage":{"input_tokens":500,"output_tokens":1}}}\n\n'
)
_DELTA = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"some words of the answer"}}\n\n'
)
_END = (
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
    b'"usage":{"output_tokens":120}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
_EVENTS = [_START, *[_DELTA] * 18, _END]


class _Connection(asyncio.Protocol):
    """Reads requests with a `content-length`, answers each, keeps the connection."""

    def __init__(self) -> None:
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        while (end := self._seen.find(b"\r\n\r\n")) >= 0:
            head = self._seen[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._seen) < end + 4 + length:
                return
            self._seen = self._seen[end + 4 + length :]
            self._answer(hangs=b" /hang/" in head.partition(b"\r\n")[0])

    def _answer(self, *, hangs: bool) -> None:
        assert isinstance(self._transport, asyncio.WriteTransport)
        self._transport.write(_HEAD)
        for event in _EVENTS[:2] if hangs else _EVENTS:
            # One write an event, as a model writes.
            self._transport.write(b"%x\r\n%b\r\n" % (len(event), event))
        if not hangs:
            self._transport.write(b"0\r\n\r\n")


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
