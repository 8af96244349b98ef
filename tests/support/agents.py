"""Running an agent program for real, on this machine, without a sandbox: for programs of our own only."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from harnesses.base import Brief, Harness, Launch, Send, Session
from harnesses.converse import converse
from harnesses.events import AgentEvent
from harnesses.registry import load


class Printed(msgspec.Struct, frozen=True):
    """A line of output; its position is its number."""

    pos: int
    text: str


class HostProcess:
    """A program on this machine as a `Channel`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.printed: list[str] = []

    async def lines(self) -> AsyncIterator[Printed]:
        assert self.process.stdout
        async for raw in self.process.stdout:
            text = raw.decode().removesuffix("\n")
            self.printed.append(text)
            yield Printed(len(self.printed), text)

    async def send(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(line.encode() + b"\n")
        await self.process.stdin.drain()

    def hang_up(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()


class Played(msgspec.Struct, frozen=True):
    """What a turn gave."""

    events: tuple[AgentEvent, ...]
    printed: tuple[str, ...]
    code: int
    tree: Path

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


React = Callable[[AgentEvent, Session, HostProcess], Awaitable[None]]


async def start(launch: Launch, brief: Brief) -> HostProcess:
    """Lay the launch files down and start the program, with no more environment than a sandbox gives."""
    for place in (brief.launch, brief.workspace, brief.state):
        Path(place).mkdir(parents=True, exist_ok=True)
    for name, content in launch.files.items():
        Path(brief.launch, name).write_bytes(content)
    process = await asyncio.create_subprocess_exec(
        *launch.argv,
        cwd=brief.workspace,
        env={"PATH": os.environ["PATH"], **launch.env},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
        limit=4 * 1024**2,
    )
    return HostProcess(process)


def brief_in(root: Path, **changes: Any) -> Brief:
    """A brief whose places lie below `root`."""
    turn = changes.get("turn", 1)
    usual: dict[str, Any] = {
        "run": "k3f9.1",
        "turn": turn,
        "prompt": "Greet the world.",
        "model": "claude-sonnet-4-5",
        "workspace": str(root / "tree"),
        "state": str(root / "state"),
        "launch": str(root / f"launch-{turn}"),
        "key": "run-key-9d2f7c",
    }
    return Brief(**{**usual, **changes})


async def no_reaction(event: AgentEvent, session: Session, process: HostProcess) -> None:
    """Let the agent be."""


def answering(*, allow: bool, note: str = "") -> React:
    """Answer every question the same way."""

    async def react(event: AgentEvent, session: Session, process: HostProcess) -> None:
        question = getattr(event, "id", "")
        for reply in session.answer(question, allow=allow, note=note):
            assert isinstance(reply, Send)
            await process.send(reply.line)

    return react


async def play(root: Path, script: Any, react: React = no_reaction, **changes: Any) -> Played:
    """Play a turn of a script with the real program."""
    harness: Harness = load("scripted")
    settings: Mapping[str, Any] = {"script": script}
    brief = brief_in(root, settings=settings, **changes)
    process = await start(harness.launch(brief), brief)
    session = harness.session(brief)
    events = []
    async for _, _, event in converse(session, process):
        events.append(event)
        await react(event, session, process)
    process.hang_up()
    code = await process.process.wait()
    return Played(tuple(events), tuple(process.printed), code, Path(brief.workspace))
