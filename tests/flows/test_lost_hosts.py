"""Hosts are lost, one by a power failure, one stands still, one is cut off: what they did goes on elsewhere."""

import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from app import wire
from app.client.client import Swarm
from app.domain.events import Event
from app.domain.run import RunState
from tests.support.actions import SwarmActions
from tests.support.machines import Cable, Machine, Machines, machines_at, snapshotted, task
from tests.support.nursery import CLOCK, set_clock
from tests.support.repos import run_git
from tests.support.scripts import edit, scripted, wait_for
from tests.support.world import story

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("lost hosts")]

FAULTS = ("fails", "stands", "cut")
HOUR = 3600.0


@dataclass
class Told:
    """What there was to see once every run was in review, and every host back."""

    user: SwarmActions
    heir: Machine
    lost: dict[str, Machine]
    runs: Mapping[str, str]
    seen: dict[str, wire.RunDetail]
    notes: dict[str, str]
    restarted: str
    back: wire.RunDetail


@story
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    root = tmp_path_factory.mktemp("lost")
    with machines_at(root) as machines:
        async with Cable(machines.database).laid() as cable:
            yield await _told(machines, cable)


async def _told(machines: Machines, cable: Cable) -> Told:
    late = machines.root / "late"
    first = [
        edit("early.txt", "seen\n"),
        wait_for(f"{late}"),
        edit("late.txt", "unseen\n"),
        wait_for("/never"),
    ]
    slow = scripted(first, [edit("end.txt", "done\n")])
    quick = scripted([edit("early.txt", "seen\n"), wait_for(f"{late}")])
    agents: dict[str, Any] = {"agent": "slow", "agents": {"slow": slow, "quick": quick}}
    home = machines.add("laptop", **agents)
    lost = {name: machines.add(name, name, **agents) for name in FAULTS[:2]}
    lost["cut"] = machines.add("cut", "cut", database=cable.database, **agents)
    heir = machines.add("heir", *FAULTS, "restarts", **agents)
    restarts = machines.add("restarts", "restarts", **agents)
    wrong = machines.root / "clock"
    set_clock(wrong, HOUR)
    client = await home.start()
    for name, machine in lost.items():
        await machine.start(**{CLOCK: str(wrong)} if name == "stands" else {})
    await restarts.start()
    user = home.user(client)
    same = (await client.submit(task(user, "restarts", agent="quick"))).run.id
    runs = {name: (await client.submit(task(user, name))).run.id for name in FAULTS}
    for run in (*runs.values(), same):
        await snapshotted(client, run)
    restarts.send(signal.SIGKILL)
    await restarts.ends()
    await restarts.start()
    lost["fails"].fail()
    lost["stands"].send(signal.SIGSTOP)
    cable.cut()
    await heir.start()
    late.touch()
    seen = {name: await user.until(run, RunState.IN_REVIEW) for name, run in runs.items()}
    back = await user.until(same, RunState.IN_REVIEW)
    lost["stands"].send(signal.SIGCONT)
    cable.heal()
    for name in ("stands", "cut"):
        await lost[name].ends()
    for machine in lost.values():
        await machine.start()
    notes = {name: await _notes(client, run) for name, run in runs.items()}
    return Told(user, heir, lost, runs, seen, notes, restarts.id, back)


async def _notes(client: Swarm, run: str) -> str:
    stream = client.events(run=run, follow=False)
    said = [item.body for item in [i async for i in stream] if isinstance(item, Event)]
    return "\n".join(str(getattr(body, "text", "")) for body in said)


@pytest.mark.parametrize("fault", FAULTS)
async def test_its_run_goes_on_elsewhere(told: Told, fault: str) -> None:
    assert told.seen[fault].row.run.host == told.heir.id


@pytest.mark.parametrize("fault", FAULTS)
async def test_it_goes_on_from_the_last_snapshot(told: Told, fault: str) -> None:
    paths = {file.path for file in told.seen[fault].reviews[-1].files}
    assert paths == {"early.txt", "end.txt"}


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_user_is_told(told: Told, fault: str) -> None:
    assert f"its host {fault} was not heard of" in told.notes[fault]


@pytest.mark.parametrize("fault", FAULTS[1:])
async def test_who_comes_back_too_late_ends_at_once(told: Told, fault: str) -> None:
    assert "was given up by the others" in told.lost[fault].log


@pytest.mark.parametrize("fault", FAULTS[1:])
async def test_what_it_made_meanwhile_is_kept_and_told(told: Told, fault: str) -> None:
    assert "no part of it, and kept" in told.notes[fault]


async def test_a_host_that_is_started_again_at_once_keeps_its_run(told: Told) -> None:
    assert (told.back.row.run.host, told.back.row.run.round) == (told.restarted, 1)


async def test_a_host_whose_clock_is_wrong_goes_by_the_databases(told: Told) -> None:
    run = told.seen["stands"].row.run
    assert "the clock of this host is 3600 s off" in told.lost["stands"].log
    assert abs((run.started or 0.0) - run.created) < HOUR / 2


@pytest.mark.parametrize("fault", FAULTS)
async def test_it_lets_go_of_its_old_sandbox(told: Told, fault: str) -> None:
    assert told.runs[fault] not in told.lost[fault].sandboxes


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_change_lands_once(told: Told, fault: str) -> None:
    await told.user.approve(told.runs[fault])
    log = run_git(told.user.repo, "log", "--format=%(trailers:key=Swarm-Run)", "main")
    assert log.count(told.runs[fault]) == 1
