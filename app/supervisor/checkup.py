"""What swarm needs and what it finds: engine, image, keys, disk, versions; each with what to do."""

import shutil
import sqlite3

from app.domain.errors import SwarmError
from app.repo.git import check_version
from app.supervisor.errors import LEAF_ERRORS, own, translated
from app.supervisor.services import Services
from app.wire import AgentLine, DoctorLine
from harnesses.catalog import Agent
from sandboxes import images

LOW_DISK = 5 * 1024**3


async def agents(s: Services) -> tuple[AgentLine, ...]:
    """Every agent of the catalogue, and whether it could be given a task now."""
    return tuple([await _agent(s, agent) for agent in s.catalog.all()])


async def _agent(s: Services, agent: Agent) -> AgentLine:
    why = ""
    try:
        with translated():
            harness = s.harness(agent.harness)
            harness.check(agent.settings)
            if not harness.capabilities.scripted:
                await s.gateway.check(agent.model)
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
        _disk(s),
        await _sandbox(s),
        *await _images(s),
        *await _upstreams(s),
    )


async def _git() -> DoctorLine:
    try:
        await check_version()
    except SwarmError as error:
        return DoctorLine(name="git", ok=False, found=error.message, fix=error.hint)
    return DoctorLine(name="git", ok=True, found="new enough")


def _sqlite() -> DoctorLine:
    return DoctorLine(name="sqlite", ok=True, found=sqlite3.sqlite_version)


def _disk(s: Services) -> DoctorLine:
    free = shutil.disk_usage(s.places.state).free
    return DoctorLine(
        name="disk",
        ok=free > LOW_DISK,
        found=f"{free / 1024**3:.1f} GiB free for {s.places.state}",
        fix="" if free > LOW_DISK else "Free some space, or move SWARM_STATE_DIR.",
    )


async def _sandbox(s: Services) -> DoctorLine:
    name = s.configuration.settings.sandbox.driver
    try:
        driver = s.driver(name)
        await driver.check()
    except LEAF_ERRORS as error:
        return DoctorLine(name="sandbox", ok=False, found=str(own(error)), fix=error.hint)
    warning = "no isolation: agents can do all you can" if driver.isolation == "none" else ""
    return DoctorLine(name="sandbox", ok=True, found=f"{name} {warning}".strip())


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
        await s.gateway.check(agent.model)
    except SwarmError as error:
        return (
            DoctorLine(
                name=f"key for {agent.model}", ok=False, found=error.message, fix=error.hint
            ),
        )
    return (DoctorLine(name=f"key for {agent.model}", ok=True, found="found"),)
