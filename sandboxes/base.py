"""What a sandbox is: an isolated place with a directory, in which programs run.

Three kinds of program, told apart by whom they trust:
- `prepare`: a trusted script, before any agent ran, with the tree writable (it lays the tree down), and on
  request the scratch as well;
- `aside`: a trusted script beside the box, with the tree read-only (the scribe's snapshots);
- `start`: an untrusted program in the box (an agent, or a check).

Everything is idempotent by name: asking again for what is there gives the same thing.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from sandboxes.spec import (
    Completed,
    Exit,
    Fact,
    Holding,
    Isolation,
    Line,
    Places,
    Program,
    SandboxSpec,
    Usage,
)


class Process(Protocol):
    """A program in a sandbox. It outlives the supervisor; asking for it again attaches to it."""

    def lines(self) -> AsyncIterator[Line]:
        """Standard output from its first line until the program ends, the same lines each time."""
        ...

    async def send(self, line: str) -> None:
        """Write a line (the end is added) to standard input. Silently nothing once the program has ended."""
        ...

    async def wait(self) -> Exit:
        """Wait until the program has ended."""
        ...

    async def stop(self, grace: float = 10.0) -> None:
        """Ask it to end, and kill it after `grace` seconds. Nothing when it has ended."""
        ...


class Terminal(Protocol):
    """The terminal of a program that was started with one."""

    def output(self) -> AsyncIterator[bytes]:
        """What the program writes, from as far back as it is kept, until it ends. Hostile: filter it."""
        ...

    async def press(self, data: bytes) -> None:
        """Send keys. Silently nothing once the program has ended."""
        ...

    async def resize(self, rows: int, columns: int) -> None:
        """Tell the program how large the terminal is. Silently nothing once it has ended."""
        ...


class Sandbox(Protocol):
    """One open sandbox."""

    spec: SandboxSpec
    places: Places

    async def prepare(
        self,
        script: str,
        *,
        env: Mapping[str, str] = {},
        timeout: float = 600.0,
        scratch: bool = False,
    ) -> Completed:
        """Run a trusted `sh` script with the tree writable, before any agent ran.

        With `scratch` that is writable too: only when nothing at all ever ran in the tree, for what is there could
        reach through the script into what only the scribe may write.
        """
        ...

    async def aside(
        self,
        script: str,
        *,
        env: Mapping[str, str] = {},
        stdin: bytes = b"",
        timeout: float = 120.0,
        limit: int = 64 * 1024**2,
    ) -> Completed:
        """Run a trusted `sh` script beside the box: tree read-only, `Places.scratch` writable, no network.

        At most `limit` bytes of output are kept; past `timeout` seconds it is killed and the code is 124.
        """
        ...

    async def start(self, program: Program) -> Process:
        """Start the program, or attach to it if it was ever started under this name."""
        ...

    async def find(self, name: str) -> Process | None:
        """The program of that name if it was ever started here."""
        ...

    def terminal(self, name: str) -> Terminal:
        """The terminal of the program of that name, started with `Program.tty`.

        Raises `SandboxUnavailable` where the driver has no terminals.
        """
        ...

    async def pause(self) -> None:
        """Halt every program where it is; nothing of it is lost. Safe to repeat."""
        ...

    async def go_on(self) -> None:
        """Let halted programs go on; nothing when none is halted."""
        ...

    async def usage(self) -> Usage:
        """What it takes of the disk now. Does not wait for scripts beside the box."""
        ...

    async def remove(self) -> None:
        """Stop everything and remove every trace: containers, volumes, directories. Safe to repeat."""
        ...


class Driver(Protocol):
    """A way to make sandboxes."""

    name: str
    isolation: Isolation
    terminals: bool
    """Whether its programs can have a terminal."""

    @property
    def disk(self) -> Path | None:
        """A directory of this host on the disk where sandboxes lie; None when not known, or elsewhere."""
        ...

    async def survey(self) -> Sequence[Fact]:
        """All it relies on, as it is now; raises nothing."""
        ...

    async def check(self, runtime: str = "") -> None:
        """Raise `SandboxUnavailable`, with what to do, when this host cannot run it, or not in that runtime."""
        ...

    async def open(self, spec: SandboxSpec) -> Sandbox:
        """Make sure the sandbox exists; the same spec gives the same sandbox."""
        ...

    async def names(self, owner: str) -> Sequence[str]:
        """Names of all sandboxes of that owner of which anything is left here."""
        ...

    async def holdings(self, owner: str) -> Sequence[Holding]:
        """All that is left here of that owner's sandboxes, and of nobody else's."""
        ...

    async def rest(self, name: str, owner: str) -> None:
        """Stop everything of that sandbox; its tree and state stay, and `open` goes on with them."""
        ...

    async def remove(self, name: str, owner: str) -> None:
        """Remove every trace of that owner's sandbox. Safe to repeat, and when it was never made."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads; sandboxes and their programs go on."""
        ...
