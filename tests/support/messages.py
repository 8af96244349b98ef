"""A tiny endpoint of the Anthropic Messages dialect that reports the usage it is told in the request."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Endpoint(ThreadingHTTPServer):
    """Remembers what it was asked; refuses from the call numbered `refuse_from` on."""

    daemon_threads = True

    def __init__(self, *, refuse_from: int = 10**9, status: int = 402) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.refuse_from, self.status = refuse_from, status
        self.calls: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.sizes: list[int] = []
        self.break_off = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        self.server.calls.append({"path": self.path, **json.loads(raw)})
        self.server.headers.append({key.lower(): value for key, value in self.headers.items()})
        self.server.sizes.append(len(raw))
        if len(self.server.calls) >= self.server.refuse_from:
            self._refuse()
        else:
            self._stream(raw.decode())

    def _refuse(self) -> None:
        error = {"type": "billing_error", "message": "swarm: run budget exhausted"}
        body = json.dumps({"type": "error", "error": error}).encode()
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, text: str) -> None:
        told = re.search(r"\[\[usage input=(\d+) output=(\d+)\]\]", text)
        assert told
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        message = {"usage": {"input_tokens": int(told[1]), "output_tokens": 1}}
        self._event({"type": "message_start", "message": message})
        self._event({"type": "ping"})
        self._event({"type": "message_delta", "usage": {"output_tokens": int(told[2])}})
        if not self.server.break_off:
            self._event({"type": "message_stop"})

    def _event(self, event: dict[str, Any]) -> None:
        self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's signature
        """Say nothing."""


@contextmanager
def serving(**changes: Any) -> Iterator[Endpoint]:
    endpoint = Endpoint(**changes)
    thread = threading.Thread(target=endpoint.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.shutdown()
        endpoint.server_close()
        thread.join()
