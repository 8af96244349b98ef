"""The sandbox of a run: its spec is computed from the run each time, so it is found again after any crash."""

from collections.abc import Sequence
from pathlib import Path

from app.config.settings import SandboxSettings
from app.domain.ids import RunId
from app.domain.run import Run
from app.repo import scribe, tree
from app.repo.repository import Repository
from app.repo.scribe import Scribe
from app.supervisor.names import check_sandbox, is_check_of
from app.supervisor.services import Services
from harnesses.catalog import Agent
from sandboxes import images
from sandboxes.base import Driver, Sandbox
from sandboxes.spec import Limits, Mount, SandboxSpec


def image_for(agent: Agent, settings: SandboxSettings) -> str:
    """The image of an agent's sandbox: the user's, else the one `swarm image build` makes for it."""
    return settings.image or images.tag_of(agent.image or "base")


def mounts_for(s: Services, run: Run, directories: Sequence[Path]) -> tuple[Mount, ...]:
    """How the run's sandbox sees object directories of the host."""
    return tree.mounts(directories, isolated=s.driver(run.sandbox).isolation == "container")


async def open_sandbox(s: Services, run: Run, repo: Repository) -> Sandbox:
    """The run's sandbox, with a way to the gateway and the user's objects to read."""
    sockets = s.places.sockets(run.id)
    sockets.mkdir(mode=0o711, parents=True, exist_ok=True)
    spec = _spec(s, run, run.id, mounts_for(s, run, repo.objects), sockets)
    return await s.driver(run.sandbox).open(spec)


async def open_check(s: Services, run: Run, turn: int, mounted: tuple[Mount, ...]) -> Sandbox:
    """A fresh sandbox for checks, without any way out."""
    name = check_sandbox(run.id, turn)
    return await s.driver(run.sandbox).open(_spec(s, run, name, mounted, None))


def scribe_of(s: Services, run: Run, repo: Repository, sandbox: Sandbox) -> Scribe:
    """The scribe beside the run's sandbox."""
    seen = tree.targets(mounts_for(s, run, repo.objects))
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
