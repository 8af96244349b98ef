"""The sandbox of a run: its spec is computed from the run each time, so it is found again after any crash."""

import re
from pathlib import Path
from typing import Final

from app.config.settings import SandboxSettings
from app.domain.ids import RunId
from app.domain.outfit import PORTS
from app.domain.run import Run
from app.gateway.egress_line import SOCKET_NAME as EGRESS_SOCKET
from app.repo import history, scribe, tree
from app.repo.hub import hub_of
from app.repo.repository import Repository
from app.repo.scribe import Scribe
from app.supervisor.names import check_sandbox, is_check_of
from app.supervisor.services import Services
from harnesses.catalog import Agent
from sandboxes import images
from sandboxes.base import Driver, Sandbox
from sandboxes.errors import SandboxFailed
from sandboxes.spec import Limits, Mount, SandboxSpec

_MOUNTED = ("container", "namespaces")
"""Isolations in which a mount is where it was asked for."""


def image_for(agent: Agent, settings: SandboxSettings, base: str = "") -> str:
    """The image of an agent's sandbox: the user's, else swarm's for it, which stands on `base`."""
    return settings.image or images.tag_of(agent.image or images.BASE, base=base)


def history_mounts(s: Services, run: Run, repo: Repository, *more: Path) -> tuple[Mount, ...]:
    """How the run's sandbox sees the object directories it may read, and `more` of them."""
    hub = hub_of(repo, s.places.hubs)
    directories = (*history.seen(repo, hub, run.id, run.base), *more)
    return tree.mounts(directories, isolated=s.driver(run.sandbox).isolation in _MOUNTED)


async def open_sandbox(s: Services, run: Run, repo: Repository) -> Sandbox:
    """The run's sandbox, with the ways to gateway and network and the user's objects to read."""
    sockets = s.places.sockets(run.id)
    sockets.mkdir(mode=0o711, parents=True, exist_ok=True)
    await s.egress.open(run.id, sockets / EGRESS_SOCKET)
    mounted = (*history_mounts(s, run, repo), *cache_mounts(s, repo))
    spec = _spec(s, run, run.id, mounted, sockets)
    return await s.driver(run.sandbox).open(spec)


async def open_check(
    s: Services, run: Run, repo: Repository, turn: int, mounted: tuple[Mount, ...]
) -> Sandbox:
    """A fresh sandbox for checks, without any way out."""
    name = check_sandbox(run.id, turn)
    spec = _spec(s, run, name, (*mounted, *cache_mounts(s, repo)), None)
    return await s.driver(run.sandbox).open(spec)


CACHES: Final = "/swarm/caches"


def cache_mounts(s: Services, repo: Repository) -> tuple[Mount, ...]:
    """The user's caches for that repository, to be read only: what one run wrote there another would read.

    Raises `SandboxFailed` for a directory that is not there.
    """
    named = sorted(s.configuration.settings.caches.items())
    found = {name: cache.place for name, cache in named if cache.is_for(repo.root)}
    for name, place in found.items():
        if not (place.is_absolute() and place.is_dir()):
            raise SandboxFailed(
                f"the cache {name!r} is not a directory: {place}",
                hint="Make it, or take it out of `caches` in your config.yaml.",
            )
    return tuple(Mount(source=place, target=f"{CACHES}/{name}") for name, place in found.items())


def environment(s: Services, run: Run, sandbox: Sandbox) -> dict[str, str]:
    """What every program in a run's sandbox is told."""
    env: dict[str, str] = {"SWARM_RUN": run.id}
    if run.port:
        env |= {"PORT_BASE": str(run.port), "PORT_COUNT": str(PORTS)}
    for name in s.configuration.settings.caches:
        word = re.sub(r"[^A-Z0-9]", "_", name.upper())
        if place := sandbox.places.mounts.get(f"{CACHES}/{name}", ""):
            env[f"SWARM_CACHE_{word}"] = place
    return env


def scribe_of(s: Services, run: Run, repo: Repository, sandbox: Sandbox) -> Scribe:
    """The scribe beside the run's sandbox."""
    seen = tree.targets(history_mounts(s, run, repo))
    return scribe.scribe(sandbox, objects=seen, base=run.base, object_format=repo.object_format)


async def rest(s: Services, run: Run) -> None:
    """Stop everything of the run's sandboxes; tree and state of its own stay for the next round."""
    driver = s.driver(run.sandbox)
    await driver.rest(run.id, s.owner)
    for name in await driver.names(s.owner):
        if is_check_of(name, run.id):
            await driver.remove(name, s.owner)


async def remove_sandboxes(s: Services, run: RunId, driver: Driver) -> None:
    """Remove the run's sandbox and those of its checks, with everything in them."""
    for name in await driver.names(s.owner):
        if name == run or is_check_of(name, run):
            await driver.remove(name, s.owner)


def _spec(
    s: Services, run: Run, name: str, mounted: tuple[Mount, ...], sockets: Path | None
) -> SandboxSpec:
    settings = s.configuration.settings.sandbox
    return SandboxSpec(
        name=name,
        owner=s.owner,
        image=run.image,
        mounts=mounted,
        sockets=sockets,
        limits=Limits(memory=settings.memory_bytes, cpus=settings.cpus, pids=settings.pids),
        scripted=s.harness(run.harness).capabilities.scripted,
        runtime=settings.runtime,
    )
