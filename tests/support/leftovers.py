"""What the real engine and this machine have of one user's installation."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from docker import APIClient
from docker.utils import kwargs_from_env

from sandboxes.docker_parts import OWNER


def boxes_of(state: Path) -> tuple[list[str], list[str]]:
    """Names of the containers and of the volumes that belong to that state directory."""
    with _engine() as engine:
        return _named(engine, state)


def remove_boxes(state: Path) -> None:
    """An agent in a box works on without its supervisor, so a test that ends amid a run must end it, too."""
    with _engine() as engine:
        containers, volumes = _named(engine, state)
        for name in containers:
            engine.remove_container(name, force=True, v=True)
        for name in volumes:
            engine.remove_volume(name, force=True)


def end_programs(root: Path) -> None:
    """Whatever works below that directory, and what that starts meanwhile."""
    while found := [pid for pid, _line in processes_in(root)]:
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def processes_in(root: Path) -> Iterator[tuple[int, str]]:
    """Processes that work below that directory, with what they were started with."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            line = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            cwd = str((place / "cwd").readlink())
        except OSError:
            continue
        if str(root) in line or cwd.startswith(str(root)):
            yield int(place.name), line


def _engine() -> "contextlib.closing[APIClient]":
    return contextlib.closing(APIClient(version="auto", **kwargs_from_env()))


def _named(engine: APIClient, state: Path) -> tuple[list[str], list[str]]:
    kept = state / "installation"
    if not kept.exists():
        return [], []
    only = {"label": f"{OWNER}={kept.read_text().strip()}"}
    containers = engine.containers(all=True, filters=only)
    volumes = engine.volumes(filters=only)["Volumes"] or []
    return [each["Names"][0] for each in containers], [each["Name"] for each in volumes]
