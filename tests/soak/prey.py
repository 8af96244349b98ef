"""What of a run can be killed: its agent's program, its box, its side. Found from outside, as by an operator."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from docker import APIClient
from docker.errors import APIError
from docker.utils import kwargs_from_env

from sandboxes.docker_parts import OWNER, PROGRAM, SANDBOX
from tests.support.home import Home

Prey = Mapping[str, int | str]
"""What can be killed of each sandbox: a process of this host, or a container."""
_AGENT: Final = b"scripted_agent.py"


def agents_here(home: Home) -> Prey:
    """The programs of agents that run as processes of this host."""
    found = {}
    for mark in (home.state / "sandboxes").glob("*/run/turn-*/pid"):
        with contextlib.suppress(OSError, ValueError):
            pid = int(json.loads(mark.read_text())["pid"])
            if _AGENT in Path(f"/proc/{pid}/cmdline").read_bytes():
                found[mark.parents[2].name] = pid
    return found


def keepers_here(home: Home) -> Prey:
    """The processes that started them: with those gone, nobody knows how the agent ends."""
    found = {}
    for sandbox, pid in agents_here(home).items():
        with contextlib.suppress(OSError, IndexError, ValueError):
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
            found[sandbox] = int(stat.split()[1])
    return {sandbox: pid for sandbox, pid in found.items() if pid > 1}


def agents_in_boxes(home: Home) -> Prey:
    """The same, of agents in containers: below each container's first process."""
    found = {}
    with _engine() as engine:
        for box in _containers(engine, home, program=True):
            with contextlib.suppress(APIError, OSError, ValueError, IndexError):
                listed = engine.top(box["Id"], "-eo pid,args")["Processes"]
                pids = [int(pid) for pid, args in listed if _AGENT.decode() in args]
                found[box["Labels"][SANDBOX]] = pids[-1]
    return found


def boxes(home: Home) -> Prey:
    """Containers with an agent."""
    with _engine() as engine:
        listed = _containers(engine, home, program=True)
        return {each["Labels"][SANDBOX]: each["Id"] for each in listed}


def sides(home: Home) -> Prey:
    """Containers beside an agent's."""
    with _engine() as engine:
        listed = _containers(engine, home, program=False)
        return {each["Labels"][SANDBOX]: each["Id"] for each in listed}


def kill(prey: int | str) -> bool:
    """SIGKILL for a process or a container; whether it was still there."""
    try:
        if isinstance(prey, int):
            os.kill(prey, signal.SIGKILL)
        else:
            with _engine() as engine:
                engine.kill(prey)
    except (ProcessLookupError, APIError):
        return False
    return True


def _containers(engine: APIClient, home: Home, *, program: bool) -> Iterator[dict[str, Any]]:
    """Those of this user that run; with a program of an agent, or without any."""
    kept = home.state / "installation"
    if not kept.exists():
        return
    only = {"label": f"{OWNER}={kept.read_text().strip()}", "status": "running"}
    for each in engine.containers(filters=only):
        named = each["Labels"].get(PROGRAM, "")
        if named.startswith("turn-") if program else not named:
            yield each


def _engine() -> "contextlib.closing[APIClient]":
    return contextlib.closing(APIClient(version="auto", **kwargs_from_env()))
