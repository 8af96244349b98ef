"""Sandboxes made of containers: a *box* for the agent, without network, and a trusted *side* next to it."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from sandboxes import docker_box, docker_survey
from sandboxes import docker_parts as parts
from sandboxes import docker_scripts as scripts
from sandboxes.docker_box import Box
from sandboxes.docker_containers import Containers
from sandboxes.docker_engine import Engine
from sandboxes.docker_terminal import DockerTerminal
from sandboxes.errors import EngineAway, SandboxFailed, SandboxUnavailable
from sandboxes.lines import exit_of, tail_of
from sandboxes.names import check_name, check_program
from sandboxes.short import OUTPUT_LIMIT
from sandboxes.spec import (
    Completed,
    Fact,
    Holding,
    Isolation,
    Program,
    SandboxSpec,
    Usage,
)

_NEVER_STARTED = ("", "created")
_HEARD = 8 * 1024
"""Bytes of the last words of a side that ended."""
COUNTING = 20.0
"""Seconds that counting a sandbox's files may take."""


class DockerDriver:
    """Makes sandboxes on the Docker Engine that `DOCKER_HOST` names, or the usual one."""

    name = "docker"
    isolation: Isolation = "container"
    terminals = True

    def __init__(self, root: Path) -> None:
        self.root = root
        self._engine = Engine()
        self._opening: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._cores = 0
        self._keeps: Path | None = None
        self._runtimes: tuple[str, ...] = ()
        self._ready: dict[str, str] = {}
        """Sides whose way to the gateway is open, with the start for which that holds."""

    @property
    def disk(self) -> Path | None:
        return self._keeps if self._keeps and self._keeps.is_dir() else None

    async def survey(self) -> Sequence[Fact]:
        return await docker_survey.survey(self._engine)

    async def check(self, runtime: str = "") -> None:
        """Ask the engine whether it is there, how many cores it has, where it keeps volumes, what it runs."""
        found = await self._engine.call("say what it is", lambda api: api.info())
        self._cores = int(found["NCPU"])
        self._keeps = Path(found["DockerRootDir"])
        self._runtimes = tuple(found.get("Runtimes") or ())
        self._refuse_runtime(runtime)

    async def open(self, spec: SandboxSpec) -> "DockerSandbox":
        check_name(spec.name, "sandbox")
        if not spec.image:
            raise SandboxFailed(
                f"The sandbox {spec.name} has no image", hint="Name one for the agent."
            )
        if not self._cores:
            await self.check()
        self._refuse_runtime(spec.runtime)
        sandbox = DockerSandbox(self._engine, spec, self._cores, self._ready)
        async with self._opening.setdefault(spec.name, asyncio.Lock()):
            await sandbox.settle()
        return sandbox

    async def names(self, owner: str) -> Sequence[str]:
        label = f"{parts.OWNER}={owner}"
        containers = Containers(self._engine)
        found = [*await containers.labelled(label), *await containers.volumes(label)]
        return sorted({one["Labels"][parts.SANDBOX] for one in found})

    async def holdings(self, owner: str) -> Sequence[Holding]:
        label = f"{parts.OWNER}={owner}"
        containers = Containers(self._engine)
        boxes = [
            Holding(
                sandbox=one["Labels"][parts.SANDBOX],
                kind="container",
                name=one["Names"][0].lstrip("/"),
                running=one["State"] in ("running", "paused", "restarting"),
            )
            for one in await containers.labelled(label)
        ]
        kept = [
            Holding(sandbox=one["Labels"][parts.SANDBOX], kind="volume", name=one["Name"])
            for one in await containers.volumes(label)
        ]
        return sorted([*boxes, *kept], key=lambda one: (one.sandbox, one.kind, one.name))

    async def rest(self, name: str, owner: str) -> None:
        await self._named(name, owner).rest()

    async def remove(self, name: str, owner: str) -> None:
        await self._named(name, owner).remove()

    async def close(self) -> None:
        self._engine.close()

    def _refuse_runtime(self, wanted: str) -> None:
        """Before anything is made: the engine would only say so after volumes and half a container."""
        if wanted and wanted not in self._runtimes:
            offered = ", ".join(sorted(self._runtimes)) or "none"
            raise SandboxUnavailable(
                f"Docker has no container runtime {wanted!r}; `docker info` lists: {offered}",
                hint="Install it and name it in Docker's daemon.json, or change `sandbox.runtime`.",
            )

    def _named(self, name: str, owner: str) -> "DockerSandbox":
        """The sandbox as far as its name tells: enough to stop or remove it."""
        spec = SandboxSpec(name=check_name(name, "sandbox"), owner=owner)
        return DockerSandbox(self._engine, spec, self._cores, self._ready)


class DockerSandbox:
    """A `Sandbox` of containers and volumes, all named after it."""

    def __init__(
        self, engine: Engine, spec: SandboxSpec, cores: int, ready: dict[str, str]
    ) -> None:
        self.spec = spec
        self.places = parts.places(spec)
        self._engine = engine
        self._containers = Containers(engine)
        self._cores = cores
        self._ready = ready
        self._side = self._name("side")
        self._starting = asyncio.Lock()
        self._aside = asyncio.Lock()

    async def prepare(
        self,
        script: str,
        *,
        env: Mapping[str, str] = {},
        timeout: float = 600.0,
        scratch: bool = False,
    ) -> Completed:
        config = parts.preparation(self.spec, script, env, self._cores, scratch=scratch)
        if self.spec.sockets is None:
            return await self._prepared(config, timeout)
        # Programs follow, and need the way out: it opens meanwhile.
        done: Completed
        done, _ = await asyncio.gather(self._prepared(config, timeout), self._bring_up())
        return done

    async def aside(
        self,
        script: str,
        *,
        env: Mapping[str, str] = {},
        stdin: bytes = b"",
        timeout: float = 120.0,
        limit: int = OUTPUT_LIMIT,
    ) -> Completed:
        async with self._aside:
            side = await self._bring_up()
            await scripts.quiet(self._engine, side.get("ExecIDs") or (), timeout)
            return await scripts.run_beside(
                self._engine,
                self._side,
                script,
                env=env,
                stdin=stdin,
                timeout=timeout,
                limit=limit,
            )

    async def start(self, program: Program) -> Box:
        name = self._name(check_program(program.name))
        async with self._starting:
            if await self._containers.state(name) in _NEVER_STARTED:
                files = parts.files(program)
                config = parts.box(self.spec, program, self._cores)
                await asyncio.gather(
                    self._bring_up(),
                    self._containers.put(self._side, parts.LAUNCH, files),
                    self._containers.create(name, config),
                )
                await self._containers.start(name)
        return self._box(name)

    async def find(self, name: str) -> Box | None:
        container = self._name(check_program(name))
        if await self._containers.state(container) in _NEVER_STARTED:
            return None
        return self._box(container)

    def terminal(self, name: str) -> DockerTerminal:
        return DockerTerminal(self._engine, self._name(check_program(name)))

    async def pause(self) -> None:
        for name in await self._boxes():
            await self._containers.pause(name)

    async def go_on(self) -> None:
        for name in await self._boxes():
            await self._containers.go_on(name)

    async def usage(self) -> Usage:
        await self._bring_up()
        said = await scripts.run_beside(
            self._engine,
            self._side,
            parts.MEASURE,
            env={},
            stdin=b"",
            timeout=COUNTING,
            limit=64 * 1024,
        )
        return parts.usage(said.stdout.decode("utf-8", "replace"))

    async def rest(self) -> None:
        """Remove the containers: all that has to last is in the volumes."""
        self._ready.pop(self._side, None)
        found = await self._containers.labelled(*self._mine())
        await asyncio.gather(*(self._containers.drop(one["Id"]) for one in found))

    async def remove(self) -> None:
        await self.rest()
        for volume in await self._containers.volumes(*self._mine()):
            await self._containers.drop_volume(volume["Name"])

    async def settle(self) -> None:
        """Make the volumes and the side. It is started by what needs it first."""
        found = await self._containers.inspect(self._side)
        if found is not None and not await self._fits(found["Config"]["Labels"]):
            await self._containers.drop(self._side)
            found = None
        if found is None:
            fill = parts.has_rooms(await self._containers.image_labels(self.spec.image))
            if not fill:
                await self._lay_rooms()
            config = parts.side(self.spec, self._cores, fill=fill)
            await self._containers.create(self._side, config)

    async def _prepared(self, config: parts.Config, timeout: float) -> Completed:
        name = self._name("prepare")
        # One of a supervisor that died may still be at it.
        await self._containers.drop(name)
        try:
            await self._containers.create(name, config)
            return await scripts.run_created(
                self._engine, name, timeout=timeout, limit=OUTPUT_LIMIT
            )
        finally:
            await self._containers.drop(name)

    async def _boxes(self) -> list[str]:
        """The containers of programs that have not ended."""
        boxes = (*self._mine(), parts.PROGRAM)
        found = await self._containers.labelled(*boxes, running=True)
        return [one["Id"] for one in found]

    async def _fits(self, labels: Mapping[str, Any]) -> bool:
        """Whether the side is of this very spec, or boxes still need it as it is."""
        if labels.get(parts.OWNER) != self.spec.owner:
            raise SandboxFailed(
                f"The sandbox {self.spec.name} belongs to another swarm installation",
                hint=f"Its containers carry the label {parts.OWNER}={labels.get(parts.OWNER)}.",
            )
        if labels.get(parts.SPEC) == parts.digest(self.spec):
            return True
        boxes = (f"{parts.SANDBOX}={self.spec.name}", parts.PROGRAM)
        return bool(await self._containers.labelled(*boxes, running=True))

    async def _lay_rooms(self) -> None:
        name = self._name("lay")
        await self._containers.create(name, parts.layer(self.spec, self._cores))
        try:
            await self._containers.put(name, "/", parts.rooms())
        finally:
            await self._containers.drop(name)

    async def _bring_up(self) -> dict[str, Any]:
        """Make sure the side runs; with sockets the way to the gateway is open afterwards."""
        found = await self._containers.inspect(self._side)
        if found is None or found["State"]["Status"] != "running":
            await self._end_left()
            await self._containers.start(self._side)
            found = await self._containers.inspect(self._side)
        if self.spec.sockets is not None:
            await self._listening(found)
        return found or {}

    async def _end_left(self) -> None:
        """End the programs whose side died: they are in a network that nothing leads out of any more."""
        for box in await self._boxes() if self.spec.sockets is not None else ():
            await self._containers.kill(box)

    async def _listening(self, found: dict[str, Any] | None) -> None:
        """Wait until the forwarder of this start says that it listens."""
        started = str(found["State"]["StartedAt"]) if found else ""
        if started and self._ready.get(self._side) == started:
            return
        # Not since this start: a busy engine notes that time only after the program has said its first word.
        ended = docker_box.seconds(found["State"]["FinishedAt"]) if found else None
        said = b""
        stream = self._engine.stream(
            f"read {self._side}",
            lambda api: api.logs(self._side, stream=True, follow=True, since=ended),
        )
        async with contextlib.aclosing(stream):
            async for piece in stream:
                said = (said + piece)[-_HEARD:]
                if b"ready" in said:
                    self._ready[self._side] = started
                    return
        raise await self._unready(tail_of(said).strip())

    async def _unready(self, said: str) -> SandboxUnavailable:
        """Why a side has not become ready: because of its image, or of who ended it amid its start."""
        found = await self._containers.inspect(self._side)
        state = found["State"] if found else {"Running": True}
        if state["Running"] or exit_of(state["ExitCode"]).reason == "killed":
            return EngineAway(
                f"The side of {self.spec.name} was cut off amid its start",
                hint="See whether Docker was restarted: `docker version`, its log.",
            )
        return SandboxUnavailable(
            f"The side of {self.spec.name} ended at once: {said}",
            hint=f"The image {self.spec.image} needs python3, sh, timeout and git.",
        )

    def _box(self, name: str) -> Box:
        return Box(self._engine, name, self._side if self.spec.sockets is not None else "")

    def _name(self, part: str) -> str:
        return parts.container_name(self.spec.name, part)

    def _mine(self) -> tuple[str, str]:
        """The labels of all that is this sandbox's."""
        return f"{parts.SANDBOX}={self.spec.name}", f"{parts.OWNER}={self.spec.owner}"
