"""A database and workers, each in a network of its own: one is cut off, one stands still, one is killed."""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from app import wire
from app.domain.run import RunState
from tests.support.actions import SwarmActions
from tests.support.machines import Machine, Machines, machines_at, snapshotted, task
from tests.support.namespaces import DATABASE, Network, network
from tests.support.repos import run_git
from tests.support.scripts import edit, scripted, wait_for
from tests.support.world import story

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("hosts")]

SLOW = scripted([edit("early.txt", "seen\n"), wait_for("/never")], [edit("end.txt", "done\n")])
AGENTS: dict[str, Any] = {"agent": "slow", "agents": {"slow": SLOW}}
FAULTS = ("cut", "frozen", "killed")
"""What happens to a host, and its name."""


@dataclass
class Told:
    user: SwarmActions
    lost: Mapping[str, Machine]
    heir: Machine
    seen: Mapping[str, wire.RunDetail]
    hosts: tuple[wire.HostLine, ...]


@story
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    root = tmp_path_factory.mktemp("networks")
    with network() as net, machines_at(root, net.inside(DATABASE)) as machines:
        yield await _told(net, machines)


async def _told(net: Network, machines: Machines) -> Told:
    home = machines.add("home", **AGENTS)
    there = {each: net.add(each, machines.database) for each in (*FAULTS, "heir")}
    lost = {each: machines.add(each, each, database=there[each], **AGENTS) for each in FAULTS}
    heir = machines.add("heir", *FAULTS, database=there["heir"], **AGENTS)
    client = await home.start()
    starting = (machine.start_inside(net.inside(name)) for name, machine in lost.items())
    await asyncio.gather(*starting)
    user = home.user(client)
    runs = {each: (await client.submit(task(user, each))).run.id for each in FAULTS}
    for run in runs.values():
        await snapshotted(client, run)
    await heir.start_inside(net.inside("heir"))
    net.cut("cut")
    lost["frozen"].send(signal.SIGSTOP)
    lost["killed"].fail()
    seen = {each: await user.until(run, RunState.IN_REVIEW) for each, run in runs.items()}
    hosts = await client.hosts()
    net.heal("cut")
    lost["frozen"].send(signal.SIGCONT)
    await asyncio.gather(*(lost[name].ends() for name in ("cut", "frozen")))
    return Told(user, lost, heir, seen, hosts)


each_fault = pytest.mark.parametrize("fault", FAULTS)


@each_fault
async def test_its_run_goes_on_in_the_other_network(told: Told, fault: str) -> None:
    assert told.seen[fault].row.run.host == told.heir.id


@each_fault
async def test_it_goes_on_from_the_last_snapshot(told: Told, fault: str) -> None:
    paths = {file.path for file in told.seen[fault].reviews[-1].files}
    assert paths == {"early.txt", "end.txt"}


async def test_they_show_as_dead(told: Told) -> None:
    states = {host.name: host.state for host in told.hosts}
    assert states == {"home": "up", "heir": "up"} | dict.fromkeys(FAULTS, "dead")


@pytest.mark.parametrize("fault", ["cut", "frozen"])
async def test_once_it_is_back_it_ends(told: Told, fault: str) -> None:
    assert "was given up by the others" in told.lost[fault].log


@each_fault
async def test_the_change_lands_once(told: Told, fault: str) -> None:
    run = told.seen[fault].row.run.id
    assert (await told.user.approve(run)).row.run.state == RunState.MERGED
    log = run_git(told.user.repo, "log", "--format=%(trailers:key=Swarm-Run)", "main")
    assert log.count(run) == 1
