"""Containers and volumes by name: make sure they are there, or that they are gone."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sandboxes.docker_engine import Engine, Gone, Late, Restless, Taken
from sandboxes.docker_parts import OWNER, PROGRAM, SANDBOX, Config
from sandboxes.errors import SandboxFailed

_BUSY = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between tries while the engine is still at work on what is to be removed or halted."""
_LATE = 15
"""Tries that may each go without an answer: a volume of very many files takes the engine minutes."""


class Containers:
    """What the sandboxes ask of the engine, each of it safe to repeat."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, name: str, config: Config) -> None:
        """Make sure there is such a container of this sandbox."""

        def make(api: Any) -> None:
            api.create_container_from_config(config, name)

        try:
            await self._engine.call(f"create {name}", make)
        except Taken:
            await self._check_whose(name, config)

    async def start(self, name: str) -> None:
        """Start it; nothing when it runs."""
        await self._engine.call(f"start {name}", lambda api: api.start(name))

    async def kill(self, name: str) -> None:
        """End it without a warning; nothing when it has ended."""
        with suppress(Gone, Taken):
            await self._engine.call(f"kill {name}", lambda api: api.kill(name))

    async def put(self, name: str, path: str, archive: bytes) -> None:
        """Unpack an archive in it, whether it runs or not."""
        await self._engine.call(
            f"copy files to {name}", lambda api: api.put_archive(name, path, archive)
        )

    async def inspect(self, name: str) -> dict[str, Any] | None:
        """All the engine knows of it; None when there is none."""
        with suppress(Gone):
            return await self._engine.call(
                f"look at {name}", lambda api: api.inspect_container(name)
            )
        return None

    async def image_labels(self, image: str) -> dict[str, str]:
        """Labels of an image. Raises `SandboxUnavailable` when it is not on this machine."""

        def look(api: Any) -> dict[str, str]:
            return api.inspect_image(image)["Config"].get("Labels") or {}

        return await self._engine.call(f"look at the image {image}", look)

    async def state(self, name: str) -> str:
        """The engine's word for its state; empty when there is none."""
        found = await self.inspect(name)
        return "" if found is None else str(found["State"]["Status"])

    async def labelled(self, *labels: str, running: bool = False) -> list[dict[str, Any]]:
        """Containers with all these labels; also ended ones, unless only running ones are asked for."""
        wanted = {"label": list(labels)}
        return await self._engine.call(
            "list containers", lambda api: api.containers(all=not running, filters=wanted)
        )

    async def pause(self, name: str) -> None:
        """Halt it; nothing when it is halted, or has ended.

        Freezing is a game of chances: runc gives up after a thousand tries on programs that never rest, and
        leaves it to its caller to ask again (https://github.com/opencontainers/runc/pull/4388).
        """
        pauses = iter(_BUSY)
        with suppress(Gone, Taken):
            while True:
                try:
                    await self._engine.call(f"pause {name}", lambda api: api.pause(name))
                except Restless:
                    if (pause := next(pauses, None)) is None:
                        raise
                    await asyncio.sleep(pause)
                else:
                    return

    async def go_on(self, name: str) -> None:
        """Let it go on; nothing when it is not halted."""
        found = await self.inspect(name)
        if found is not None and found["State"]["Paused"]:
            with suppress(Gone):
                await self._engine.call(f"unpause {name}", lambda api: api.unpause(name))

    async def drop(self, name: str) -> None:
        """Kill and remove it."""
        await self._until_gone(
            f"remove {name}", lambda api: api.remove_container(name, force=True, v=True)
        )

    async def drop_volume(self, name: str) -> None:
        """Remove it with all it holds."""
        await self._until_gone(f"remove the volume {name}", lambda api: api.remove_volume(name))

    async def volumes(self, *labels: str) -> list[dict[str, Any]]:
        """Volumes with all these labels."""
        wanted = {"label": list(labels)}
        found = await self._engine.call("list volumes", lambda api: api.volumes(filters=wanted))
        return found["Volumes"] or []

    async def _until_gone(self, what: str, work: Callable[[Any], object]) -> None:
        """Ask until it is gone: one that is in use is asked for again, one that takes long is waited for."""
        pauses, late = iter(_BUSY), 0
        with suppress(Gone):
            while True:
                try:
                    await self._engine.call(what, work)
                except Taken:
                    if (pause := next(pauses, None)) is None:
                        raise
                    await asyncio.sleep(pause)
                except Late as error:
                    # The engine goes on with it; who asks again waits for the first to end.
                    if (late := late + 1) == _LATE:
                        raise SandboxFailed(
                            f"Docker is still not done after {_LATE} tries: {error}",
                            hint="It goes on by itself; the next start of swarm looks again.",
                        ) from error
                else:
                    return

    async def _check_whose(self, name: str, config: Config) -> None:
        found = await self.inspect(name)
        labels = {} if found is None else found["Config"]["Labels"]
        for key in (OWNER, SANDBOX, PROGRAM):
            if labels.get(key) != config["Labels"].get(key):
                raise SandboxFailed(
                    f"The container {name} exists, and is not of this sandbox",
                    hint=f"See what it is: `docker inspect {name}`.",
                )
