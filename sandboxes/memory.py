"""The embedded sandbox: needs nothing installed, and runs nothing but scripted agents of the user's own."""

from collections.abc import Sequence
from pathlib import Path

from sandboxes.errors import SandboxRefused
from sandboxes.hostbox import HostSandbox, HostSandboxes
from sandboxes.spec import Isolation, SandboxSpec


class MemoryDriver:
    """As `local`, but it isolates by refusing: an agent with a mind of its own never runs in it."""

    name = "memory"
    isolation: Isolation = "scripted"

    def __init__(self, root: Path) -> None:
        self._sandboxes = HostSandboxes(root)

    async def check(self) -> None:
        """Nothing is needed."""

    async def open(self, spec: SandboxSpec) -> HostSandbox:
        if not spec.scripted:
            raise SandboxRefused(
                f"The embedded sandbox runs only scripted agents, and {spec.name} is for another",
                hint="Start Docker, so that the agent gets a container of its own.",
            )
        return await self._sandboxes.open(spec)

    async def names(self, owner: str) -> Sequence[str]:
        return await self._sandboxes.names(owner)

    async def rest(self, name: str, owner: str) -> None:
        await self._sandboxes.named(name, owner).rest()

    async def remove(self, name: str, owner: str) -> None:
        await self._sandboxes.named(name, owner).remove()

    async def close(self) -> None:
        """Nothing is held."""
