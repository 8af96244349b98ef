"""Removing what takes the engine long, and halting what does not stand still, by an engine that is slow to."""

import contextlib
import http.server
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxes.docker_containers import Containers
from sandboxes.docker_engine import Engine
from sandboxes.errors import SandboxFailed

PATIENCE = 0.1


RESTLESS = b'{"message": "Cannot pause container of-forks: OCI runtime pause failed: unable to freeze: unknown"}'
"""What Docker 20.10 said of one on a busy machine."""


class Slow(socketserver.ThreadingUnixStreamServer):
    """An engine that removes one volume, and needs as long as `done` is not set; and that can halt at last."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Answer)
        self.asked = 0
        self.done = threading.Event()
        self.enough = 3
        """The volume is gone, or the container halted, when it was asked for so often."""


class _Answer(http.server.BaseHTTPRequestHandler):
    server: Slow

    def do_GET(self) -> None:
        self._say(200, b'{"ApiVersion": "1.41"}')

    def do_DELETE(self) -> None:
        self.server.asked += 1
        if self.server.asked >= self.server.enough:
            self._say(404, b'{"message": "no such volume"}')
        else:
            self.server.done.wait()

    def do_POST(self) -> None:
        self.server.asked += 1
        if self.server.asked >= self.server.enough:
            self._say(204, b"")
        else:
            self._say(500, RESTLESS)

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_args: object) -> None:
        """Nothing."""


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    monkeypatch.chdir(tmp_path)
    with Slow(Path("engine.sock")) as server:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server
        server.done.set()
        server.shutdown()
        serving.join()


@pytest.fixture
def containers(slow: Slow) -> Iterator[Containers]:
    with contextlib.closing(Engine(patience=PATIENCE)) as engine:
        yield Containers(engine)


async def test_a_volume_that_takes_long_is_waited_for(slow: Slow, containers: Containers) -> None:
    await containers.drop_volume("of-very-many-files")
    assert slow.asked >= slow.enough


async def test_a_volume_that_takes_for_ever_is_told_with_what_happens_next(
    slow: Slow, containers: Containers
) -> None:
    slow.enough = 1_000
    with pytest.raises(SandboxFailed, match="remove the volume of-very-many-files") as told:
        await containers.drop_volume("of-very-many-files")
    assert "next start of swarm" in told.value.hint


async def test_what_does_not_stand_still_is_halted_when_asked_again(
    slow: Slow, containers: Containers
) -> None:
    await containers.pause("of-forks")
    assert slow.asked == slow.enough


async def test_what_never_stands_still_is_told(
    slow: Slow, containers: Containers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandboxes.docker_containers._BUSY", (0.01, 0.01))
    slow.enough = 1_000
    with pytest.raises(SandboxFailed, match=r"pause of-forks.*unable to freeze"):
        await containers.pause("of-forks")
