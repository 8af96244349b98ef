"""Network namespaces: a database and hosts, each in a network of its own, with cables to pull. Needs root."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

DATABASE = "db"


class Network:
    """A namespace for the database, and one for each host, with a cable between them."""

    def __init__(self) -> None:
        self._mine = f"swarm{os.getpid()}"
        self._hosts: list[str] = []
        self._made: list[str] = []

    def _namespace(self, name: str) -> str:
        return f"{self._mine}-{name}"

    def inside(self, name: str) -> tuple[str, ...]:
        """What goes before a command to run it in that namespace."""
        return ("ip", "netns", "exec", self._namespace(name))

    def add(self, name: str, database: str = "") -> str:
        """A new namespace; from there the address of that database, which was one of a unix socket."""
        space = self._namespace(name)
        _ip("netns", "add", space)
        self._made.append(space)
        _ip("-n", space, "link", "set", "lo", "up")
        if name == DATABASE:
            return database
        self._hosts.append(name)
        number, there = len(self._hosts), self._namespace(DATABASE)
        _ip(
            "link",
            "add",
            "eth0",
            "netns",
            space,
            "type",
            "veth",
            "peer",
            "name",
            name,
            "netns",
            there,
        )
        for where, device, end in ((space, "eth0", 2), (there, name, 1)):
            _ip("-n", where, "address", "add", f"10.77.{number}.{end}/24", "dev", device)
            _ip("-n", where, "link", "set", device, "up")
        return f"{database.partition('?')[0]}?host=10.77.{number}.1"

    def cut(self, name: str) -> None:
        _ip("-n", self._namespace(DATABASE), "link", "set", name, "down")

    def heal(self, name: str) -> None:
        _ip("-n", self._namespace(DATABASE), "link", "set", name, "up")

    def close(self) -> None:
        for space in reversed(self._made):
            _ip("netns", "delete", space)


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """Skipped, with the reason, where there is no root or no `ip`; fails where `SWARM_REQUIRE` names netns."""
    if missing := _missing():
        if "netns" in os.environ.get("SWARM_REQUIRE", ""):
            pytest.fail(f"SWARM_REQUIRE names netns, but {missing}")
        pytest.skip(missing)
    made = Network()
    try:
        made.add(DATABASE)
        yield made
    finally:
        made.close()


def _missing() -> str:
    if os.getuid() != 0:
        return "network namespaces need root"
    if not (shutil.which("ip") and shutil.which("setpriv")):
        return "ip or setpriv is nowhere on this machine"
    probe = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    return "" if probe.returncode == 0 else "network namespaces are not allowed here"


def _ip(*args: str) -> None:
    done = subprocess.run(["ip", *args], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(args)}: {done.stderr}"
