"""Sandboxes of Linux namespaces (bubblewrap), for a machine without an engine and a person who chooses them aloud.

The same places and the same way out as in a container: no network but a forwarder to the gateway, only the tree
and the agent's state writable, no capabilities, the same filter of system calls. What is missing: limits on
memory, cores and processes, and an image: programs are this host's, below `/usr` and `/opt`.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from sandboxes import confine, forward, keep
from sandboxes.detached import Detached, family
from sandboxes.errors import SandboxUnavailable
from sandboxes.hostbox import HostDriver, HostSandbox, View
from sandboxes.spec import Fact, Isolation, Places

TREE, STATE, LAUNCH, SCRATCH = "/workspace", "/state", "/swarm/launch", "/q"
HOME = "/home/agent"
SOCKETS = "/run/swarm"
GATEWAY, EGRESS = "127.0.0.1:8080", "127.0.0.1:3128"
_FROM_ETC = (
    *("alternatives", "ca-certificates", "ssl", "localtime"),
    *("ld.so.cache", "ld.so.conf", "ld.so.conf.d"),
)
_ETC = {
    "passwd": f"root:x:0:0::/root:/bin/sh\nagent:x:1000:1000::{HOME}:/bin/sh\n",
    "group": "root:x:0:\nagent:x:1000:\n",
    "hosts": "127.0.0.1 localhost\n",
    "gitconfig": "[safe]\n\tdirectory = *\n",
}
_START = """
ulimit -c 0; ulimit -n 4096; ulimit -f "$1"; shift
if [ -n "$1" ]; then
  mkfifo /tmp/.way && ({ "$2" -I -c "$1" "$3" "$4" "$5" "$6" >/tmp/.way 2>/dev/null </dev/null & } )
  read -r _ </tmp/.way; rm -f /tmp/.way
fi
shift 6
exec "$@"
"""
"""Limits; the way out, opened and let go of; then the program in place of this."""


class Bubble(Detached):
    """A program behind its walls: who ends it must not end the walls first, for they take it with them."""

    async def _ask_to_end(self) -> None:
        mark = self._read("pid")
        if mark is None or not keep.lives(mark):
            return
        # bwrap outside, bwrap as the first process inside, and its first child: the program.
        for pid in (await family(mark["pid"]))[2:3]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


class BwrapSandbox(HostSandbox):
    """A directory seen from inside namespaces of its own."""

    process: ClassVar[type[Detached]] = Bubble

    async def settle(self) -> None:
        await super().settle()
        (self.root / "etc").mkdir(mode=0o755, exist_ok=True)
        for name, text in _ETC.items():
            (self.root / "etc" / name).write_text(text)

    async def _way_out(self, sockets: Path) -> str:
        del sockets  # Each program brings the forwarder with it: the network is its own.
        return f"http://{GATEWAY}"

    def _walled(self, argv: Sequence[str], view: View) -> Sequence[str]:
        walls = [_bwrap(), *_WALLS, *self._etc(), *self._rooms(view), *self._mounted()]
        match view:
            case "prepare" | "first":
                return [*walls, *_SEALED, "--chdir", TREE, "--", *argv]
            case "aside":
                return [*walls, *_SEALED, "--chdir", SCRATCH, "--", *argv]
            case "program":
                sockets = self.spec.sockets
                shown = ["--ro-bind", str(sockets), SOCKETS] if sockets else []
                inside = ["--chdir", TREE, "--", *self._start(), *_CONFINED, *argv]
                return [*walls, *shown, *_SEALED, *inside]

    def _start(self) -> list[str]:
        blocks = str(self.spec.limits.file_size // 512)
        way = Path(forward.__file__).read_text(encoding="utf-8") if self.spec.sockets else ""
        ways = (GATEWAY, f"{SOCKETS}/gateway.sock", EGRESS, f"{SOCKETS}/egress.sock")
        return ["sh", "-c", _START, "sh", blocks, way, _python(), *ways]

    def _rooms(self, view: View) -> list[str]:
        def room(how: str, name: str, target: str) -> list[str]:
            return [how, str(self.root / name), target]

        match view:
            case "prepare":
                return room("--bind", "tree", TREE)
            case "first":
                return [*room("--bind", "tree", TREE), *room("--bind", "scratch", SCRATCH)]
            case "aside":
                return [*room("--ro-bind", "tree", TREE), *room("--bind", "scratch", SCRATCH)]
            case "program":
                return [
                    *room("--bind", "tree", TREE),
                    *room("--bind", "state", STATE),
                    *room("--ro-bind", "launch", LAUNCH),
                ]

    def _etc(self) -> list[str]:
        own = [("--ro-bind", str(self.root / "etc" / name), f"/etc/{name}") for name in _ETC]
        theirs = [("--ro-bind-try", f"/etc/{name}", f"/etc/{name}") for name in _FROM_ETC]
        return [word for bind in (*own, *theirs) for word in bind]

    def _mounted(self) -> list[str]:
        mounts = [("--ro-bind", str(one.source), one.target) for one in self.spec.mounts]
        return [word for bind in mounts for word in bind]

    def _env(self, own: Mapping[str, str]) -> dict[str, str]:
        kept = super()._env({"HOME": HOME, **own})
        return {name: value for name, value in kept.items() if name != "TMPDIR"}

    def _places(self, *, gateway: str) -> Places:
        return Places(
            tree=TREE,
            state=STATE,
            launch=LAUNCH,
            scratch=SCRATCH,
            gateway=gateway,
            egress=f"http://{EGRESS}" if gateway else "",
            mounts={mount.target: mount.target for mount in self.spec.mounts},
        )


class BwrapDriver(HostDriver):
    """Namespaces instead of containers."""

    name: ClassVar[str] = "bwrap"
    isolation: ClassVar[Isolation] = "namespaces"
    kind: ClassVar[type[HostSandbox]] = BwrapSandbox

    async def check(self, runtime: str = "") -> None:
        """Try it: whether a machine lets its users make namespaces is known only then."""
        await super().check(runtime)
        said = await asyncio.to_thread(_tried)
        if said:
            raise SandboxUnavailable(f"bubblewrap does not work here: {said}", hint=_WAY_OUT)

    async def survey(self) -> Sequence[Fact]:
        said = await asyncio.to_thread(_tried)
        works = Fact(
            name="bwrap", ok=not said, found=said or _version(), fix=_WAY_OUT if said else ""
        )
        return [
            works,
            Fact(
                name="limits",
                ok=False,
                found="memory, cores and processes of an agent are not limited",
                fix="Use Docker for agents you do not trust with the machine's memory.",
                needed=False,
            ),
        ]


_WAY_OUT = (
    "Install the package `bubblewrap`, and let users make namespaces: "
    "`sysctl kernel.unprivileged_userns_clone=1`; on Ubuntu an AppArmor profile that allows it `userns`."
)


def _bwrap() -> str:
    return shutil.which("bwrap") or "bwrap"


def _version() -> str:
    said = subprocess.run([_bwrap(), "--version"], capture_output=True, text=True, check=False)
    return said.stdout.strip()


def _tried() -> str:
    """Why it does not work; empty when it does."""
    if shutil.which("bwrap") is None:
        return "there is no program `bwrap`"
    argv = [_bwrap(), *_WALLS, "--", "true"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
    return done.stderr.strip() or f"exit code {done.returncode}" if done.returncode else ""


def _python() -> str:
    """The interpreter without its virtual environment: boxes see the former only."""
    return str(Path(sys.executable).resolve())


def _links() -> list[str]:
    """Where `/bin` and the like are links into `/usr`, links; else what they are."""
    words = []
    for name in ("bin", "sbin", "lib", "lib64", "lib32"):
        place = Path("/", name)
        if place.is_symlink():
            words += ["--symlink", str(place.readlink()), str(place)]
        elif place.is_dir():
            words += ["--ro-bind", str(place), str(place)]
    base = Path(sys.base_prefix).resolve()
    if not base.is_relative_to("/usr"):
        words += ["--ro-bind", str(base), str(base)]
    return words


def _proc() -> list[str]:
    """What Docker, too, hides of `/proc` or lets nobody write: most of it is root's, and root may use this."""
    shown = [f"/proc/{name}" for name in ("bus", "fs", "irq", "sys", "sysrq-trigger")]
    hidden = [f"/proc/{name}" for name in ("kcore", "keys", "timer_list", "sched_debug")]
    words = [word for path in shown for word in ("--ro-bind-try", path, path)]
    for path in filter(os.path.exists, hidden):
        words += ["--ro-bind", "/dev/null", path]
    return words


_PROC = tuple(_proc())
_SEALED = ("--remount-ro", "/")
"""After everything has its place in it."""
_WALLS = (
    *("--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent"),
    *("--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--hostname", "box"),
    *("--ro-bind", "/usr", "/usr", "--ro-bind-try", "/opt", "/opt", *_links()),
    *("--proc", "/proc", *_PROC, "--dev", "/dev"),
    *("--size", str(1024**3), "--tmpfs", "/tmp"),  # noqa: S108 - the box's own
    *("--dir", "/home", "--perms", "0700", "--size", str(1024**3 // 2), "--tmpfs", HOME),
    *("--dir", "/etc", "--dir", "/swarm", "--dir", "/run"),
)
_CONFINED = (_python(), "-I", "-S", "-c", Path(confine.__file__).read_text(encoding="utf-8"))
