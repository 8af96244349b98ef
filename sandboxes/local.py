"""Sandboxes without any isolation: for people who choose that aloud, on a machine that is itself disposable."""

from collections.abc import Sequence
from pathlib import Path

from sandboxes.hostbox import HostSandbox, HostSandboxes
from sandboxes.spec import Isolation, SandboxSpec


class LocalDriver:
    """Programs run as the user, on the host, and can do whatever the user can."""

    name = "local"
    isolation: Isolation = "none"

    def __init__(self, root: Path) -> None:
        self._sandboxes = HostSandboxes(root)

    async def check(self) -> None:
        """Nothing is needed."""

    async def open(self, spec: SandboxSpec) -> HostSandbox:
        return await self._sandboxes.open(spec)

    async def names(self, owner: str) -> Sequence[str]:
        return await self._sandboxes.names(owner)

    async def rest(self, name: str, owner: str) -> None:
        await self._sandboxes.named(name, owner).rest()

    async def remove(self, name: str, owner: str) -> None:
        await self._sandboxes.named(name, owner).remove()

    async def close(self) -> None:
        """Nothing is held."""
