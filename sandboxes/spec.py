"""What is asked of a sandbox, as plain data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """Ceilings for one sandbox."""

    memory: int = 2 * 1024**3
    """Bytes; swap is not added."""
    cpus: float = 2.0
    pids: int = 256
    file_size: int = 2 * 1024**3
    """Bytes a single file may have."""
    log: int = 64 * 1024**2
    """Bytes of output kept by the engine before the oldest is dropped."""


class Mount(msgspec.Struct, frozen=True):
    """A directory of the host shown read-only inside the sandbox."""

    source: Path
    target: str


class SandboxSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One sandbox, wanted. The same spec always names the same sandbox."""

    name: str
    """Unique and stable: `[a-z0-9][a-z0-9.-]*`. Every container and volume is named after it."""
    owner: str
    """Id of the swarm installation; what a sweep may touch carries it."""
    image: str = ""
    mounts: tuple[Mount, ...] = ()
    sockets: Path | None = None
    """Directory holding `gateway.sock` and perhaps `egress.sock`; without it the sandbox has no way out at all."""
    limits: Limits = Limits()
    scripted: bool = False
    """Only scripted agents of the user's own will run here."""
    runtime: str = ""
    """Container runtime, for example `runsc`; empty is the engine's default."""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A program to run in the sandbox's tree, started once under its name however often it is asked for."""

    name: str
    """Unique within the sandbox, for example `turn-1`."""
    argv: tuple[str, ...]
    env: Mapping[str, str] = {}
    files: Mapping[str, bytes] = {}
    """Laid down read-only at `Places.launch` before the start."""
    interactive: bool = False
    """Whether standard input stays open."""
    tty: bool = False
    """Whether it gets a terminal in place of plain streams, where `Driver.terminals`; nobody reads its lines."""


class Places(msgspec.Struct, frozen=True):
    """Where things are, as a program inside the sandbox sees them."""

    tree: str
    """The working tree, writable for the box, read-only for the side."""
    state: str
    """Outlives a program; the agent's own memory. Not visible to the side."""
    launch: str
    """Directory of `Program.files` (one directory per program: `<launch>/<program name>`)."""
    scratch: str
    """Writable for the side only: the scribe's own git directory lies here."""
    gateway: str
    """Base address at which programs reach the gateway; empty without sockets."""
    egress: str = ""
    """Address of the proxy for hosts that are allowed; empty where the sandbox does not close the network."""
    mounts: Mapping[str, str] = {}
    """Where each `Mount.target` of the spec really is: the same path in a container, the source without one."""


class Line(msgspec.Struct, frozen=True):
    """A line of standard output, without its end, cut at `MAX_LINE` characters."""

    pos: int
    """Where it stands; grows, and is the same each time the output is read again."""
    text: str


MAX_LINE = 1_000_000

ExitReason: TypeAlias = Literal["exited", "killed", "oom", "lost"]


class Exit(msgspec.Struct, frozen=True):
    """How a program ended."""

    code: int | None
    """None when nobody knows: the host went down, or the container is gone."""
    reason: ExitReason
    """`killed`: by a signal. `oom`: it ended badly, and memory had run out.
    `lost`: it was started, is not running, and left no exit status, or its way to the gateway was gone before it
    ended: what it says of itself then counts for nothing."""
    stderr: str = ""
    """The end of what it wrote to standard error, at most 8 KiB."""
    starved: bool = False
    """Whether anything in it was killed for want of memory, even when the program itself ended well."""


class Completed(msgspec.Struct, frozen=True):
    """What a short trusted program gave back."""

    code: int
    stdout: bytes
    stderr: str = ""
    truncated: bool = False
    """Whether more output than the limit was thrown away."""
    starved: bool = False
    """Whether it ended badly and something in it was killed for want of memory."""


class Usage(msgspec.Struct, frozen=True):
    """What a sandbox takes of the disk, and what is left of it."""

    used: int | None
    """Bytes of its tree, state and scratch; None when there are too many files to count them in time.
    Files that were deleted while a program still has them open are not seen; in `free` they are."""
    free: int
    """Bytes free where they lie."""
    inodes: float
    """Share of files the disk can still take, 0 to 1."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Something a driver relies on, as found on this host."""

    name: str
    ok: bool
    found: str
    fix: str = ""
    """What to do when it is not ok."""
    needed: bool = True
    """Whether the driver cannot work without it."""


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a sandbox left on this host."""

    sandbox: str
    kind: Literal["container", "volume", "directory"]
    name: str
    running: bool = False


Isolation: TypeAlias = Literal["container", "namespaces", "none", "scripted"]
