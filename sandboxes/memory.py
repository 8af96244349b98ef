"""The embedded sandbox: needs nothing installed, and runs nothing but scripted agents of the user's own."""

from typing import ClassVar

from sandboxes.errors import SandboxRefused
from sandboxes.hostbox import HostDriver, HostSandbox
from sandboxes.spec import Isolation, SandboxSpec


class MemoryDriver(HostDriver):
    """As `local`, but it isolates by refusing: an agent with a mind of its own never runs in it."""

    name: ClassVar[str] = "memory"
    isolation: ClassVar[Isolation] = "scripted"

    async def open(self, spec: SandboxSpec) -> HostSandbox:
        if not spec.scripted:
            raise SandboxRefused(
                f"The embedded sandbox runs only scripted agents, and {spec.name} is for another",
                hint="Start Docker, so that the agent gets a container of its own.",
            )
        return await super().open(spec)
