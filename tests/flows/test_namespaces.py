"""A database and two workers, each in a network of its own: one is cut off in the middle of its work."""

from collections.abc import AsyncIterator
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


@dataclass
class Told:
    user: SwarmActions
    cut: Machine
    heir: Machine
    seen: wire.RunDetail
    merged: wire.RunDetail
    hosts: tuple[wire.HostLine, ...]


@story
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    root = tmp_path_factory.mktemp("networks")
    with network() as net, machines_at(root, net.inside(DATABASE)) as machines:
        yield await _told(net, machines)


async def _told(net: Network, machines: Machines) -> Told:
    home = machines.add("home", **AGENTS)
    cut, heir = (
        machines.add(name, "far", database=net.add(name, machines.database), **AGENTS)
        for name in ("west", "east")
    )
    client = await home.start()
    await cut.start_inside(net.inside("west"))
    user = home.user(client)
    run = (await client.submit(task(user, "far"))).run.id
    await snapshotted(client, run)
    await heir.start_inside(net.inside("east"))
    net.cut("west")
    seen = await user.until(run, RunState.IN_REVIEW)
    hosts = await client.hosts()
    net.heal("west")
    await cut.ends()
    return Told(user, cut, heir, seen, await user.approve(run), hosts)


async def test_its_run_goes_on_in_the_other_network(told: Told) -> None:
    assert told.seen.row.run.host == told.heir.id


async def test_it_goes_on_from_the_last_snapshot(told: Told) -> None:
    paths = {file.path for file in told.seen.reviews[-1].files}
    assert paths == {"early.txt", "end.txt"}


async def test_it_shows_as_dead(told: Told) -> None:
    assert {host.name: host.state for host in told.hosts} == {
        "home": "up",
        "west": "dead",
        "east": "up",
    }


async def test_once_the_cable_is_back_it_ends(told: Told) -> None:
    assert "was given up by the others" in told.cut.log


async def test_the_change_lands_once(told: Told) -> None:
    assert told.merged.row.run.state == RunState.MERGED
    assert run_git(told.user.repo, "rev-list", "--count", "main") == "2"
