"""What swarm needs and what it finds: engine, image, keys, disk, versions; each with what to do."""

import contextlib
import shutil
import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from app.domain.errors import SwarmError
from app.repo.git import check_version
from app.supervisor.candidates import endings
from app.supervisor.errors import LEAF_ERRORS, own, translated
from app.supervisor.money import check_model
from app.supervisor.services import Services
from app.wire import AgentLine, DoctorLine
from harnesses.catalog import Agent
from sandboxes import images
from sandboxes.spec import Isolation

_WALLS: Final[dict[Isolation, str]] = {
    "container": "containers without network and privileges; the kernel is shared",
    "namespaces": "no container: agents see this host's programs, and no memory limit holds them",
    "none": "no isolation: agents can do all you can",
    "scripted": "scripted agents only",
}


async def agents(s: Services) -> tuple[AgentLine, ...]:
    """Every agent of the catalogue, and whether it could be given a task now."""
    return tuple([await _agent(s, agent) for agent in s.catalog.all()])


async def _agent(s: Services, agent: Agent) -> AgentLine:
    why = ""
    try:
        with translated():
            harness = s.harness(agent.harness)
            harness.check(agent.settings)
            await check_model(s, agent, agent.model)
    except SwarmError as error:
        why = f"{error.message} {error.hint}".strip()
    return AgentLine(
        name=agent.name,
        harness=agent.harness,
        model=agent.model,
        title=agent.title,
        usable=not why,
        why=why,
    )


async def doctor(s: Services) -> tuple[DoctorLine, ...]:
    """Everything the main job needs, in the order in which it is needed."""
    return (
        await _git(),
        _sqlite(),
        *await _sandbox(s),
        *_disk(s),
        *await _images(s),
        *await _upstreams(s),
        *endings(s),
    )


async def _git() -> DoctorLine:
    try:
        found = await check_version()
    except SwarmError as error:
        return DoctorLine(name="git", ok=False, found=error.message, fix=error.hint)
    return DoctorLine(name="git", ok=True, found=found)


def _sqlite() -> DoctorLine:
    return DoctorLine(name="sqlite", ok=True, found=sqlite3.sqlite_version)


def _disk(s: Services) -> tuple[DoctorLine, ...]:
    """Free space where swarm keeps its state and, when that is another disk, where sandboxes lie."""
    floor = s.configuration.settings.sandbox.free_disk_bytes
    lines = [_free("disk", s.places.state, floor, "Free some space, or move SWARM_STATE_DIR.")]
    with contextlib.suppress(*LEAF_ERRORS):
        boxes = s.driver(s.configuration.settings.sandbox.driver).disk
        if boxes is not None and boxes.stat().st_dev != s.places.state.stat().st_dev:
            fix = "Free some space there, or lower `sandbox.free_disk`: below it every sandbox stands still."
            lines.append(_free("sandbox disk", boxes, floor, fix))
    return tuple(lines)


def _free(name: str, place: Path, floor: int, fix: str) -> DoctorLine:
    free = shutil.disk_usage(place).free
    found = f"{free / 1024**3:.1f} GiB free for {place}"
    return DoctorLine(name=name, ok=free >= floor, found=found, fix="" if free >= floor else fix)


async def _sandbox(s: Services) -> tuple[DoctorLine, ...]:
    """The driver, and all it has to say of this host."""
    settings = s.configuration.settings.sandbox
    try:
        driver = s.driver(settings.driver)
        await driver.check(settings.runtime)
    except LEAF_ERRORS as error:
        lines = [DoctorLine(name="sandbox", ok=False, found=str(own(error)), fix=error.hint)]
    else:
        found = f"{settings.driver} {settings.runtime}".strip()
        lines = [DoctorLine(name="sandbox", ok=True, found=f"{found}: {_WALLS[driver.isolation]}")]
    with contextlib.suppress(*LEAF_ERRORS):
        for fact in await s.driver(settings.driver).survey():
            lines.append(DoctorLine(**msgspec.structs.asdict(fact)))
    return tuple(lines)


async def _images(s: Services) -> tuple[DoctorLine, ...]:
    settings = s.configuration.settings
    if settings.sandbox.driver != "docker" or settings.sandbox.image:
        return ()
    agent = settings.agent
    try:
        gone = await images.missing([s.catalog.get(agent).image or images.BASE])
    except LEAF_ERRORS as error:
        return (DoctorLine(name=f"image {agent}", ok=False, found=str(error), fix=error.hint),)
    fix = f"Build it: `swarm image build {agent}`." if gone else ""
    found = "not built" if gone else images.tag_of(s.catalog.get(agent).image)
    return (DoctorLine(name=f"image {agent}", ok=not gone, found=found, fix=fix),)


async def _upstreams(s: Services) -> tuple[DoctorLine, ...]:
    """Whether the model of the default agent could be called; nothing is sent to find out."""
    agent = s.catalog.get(s.configuration.settings.agent)
    if s.harness(agent.harness).capabilities.scripted:
        return ()
    try:
        await check_model(s, agent, agent.model)
    except SwarmError as error:
        return (
            DoctorLine(
                name=f"key for {agent.model}", ok=False, found=error.message, fix=error.hint
            ),
        )
    return (DoctorLine(name=f"key for {agent.model}", ok=True, found="found"),)
