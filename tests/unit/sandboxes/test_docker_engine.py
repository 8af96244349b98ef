"""What the engine's troubles are called, and the frames of its raw connections."""

import errno
import struct
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import urllib3

from sandboxes.docker_engine import Wire, unreachable


def wrapped(cause: OSError) -> requests.exceptions.ConnectionError:
    """As the SDK's HTTP library wraps it."""
    return requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError("aborted", cause))


@pytest.mark.parametrize(
    ("cause", "says"),
    [
        (PermissionError(errno.EACCES, "no"), "permission denied"),
        (FileNotFoundError(errno.ENOENT, "no"), "not running"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "no"), "not running"),
        (TimeoutError("slow"), "does not answer"),
    ],
)
def test_a_lost_engine_is_told_by_its_cause(cause: OSError, says: str) -> None:
    assert says in str(unreachable(wrapped(cause)))


def test_every_lost_engine_comes_with_a_way_out() -> None:
    assert unreachable(OSError("odd")).hint


def frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


def wire(data: bytes) -> Wire:
    """A wire whose output has already arrived."""
    response = SimpleNamespace(raw=SimpleNamespace(_fp=SimpleNamespace(fp=BytesIO(data))))
    connection: Any = SimpleNamespace(_response=response)
    return Wire(connection)


def test_frames_tell_output_from_errors() -> None:
    data = frame(1, b"out") + frame(2, b"err") + frame(1, b"")
    assert list(wire(data).frames()) == [(1, b"out"), (2, b"err"), (1, b"")]


def test_a_frame_cut_short_ends_the_output() -> None:
    assert list(wire(frame(1, b"out") + b"\x01\x00").frames()) == [(1, b"out")]
