"""Whoever takes a dead host's runs over dies, too, at every point of that; they are taken over once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from app import wire
from app.domain.events import Event, Note
from app.domain.run import RunState
from tests.support.actions import SwarmActions
from tests.support.invariants import Row
from tests.support.kills import takeovers
from tests.support.machines import Machine, Machines, machines_at, snapshotted, task
from tests.support.postgres import PostgresTables
from tests.support.repos import run_git
from tests.support.scripts import edit, scripted, wait_for
from tests.support.world import story

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("hosts")]

SLOW = scripted([edit("early.txt", "seen\n"), wait_for("/never")], [edit("end.txt", "done\n")])
AGENTS: dict[str, Any] = {"agent": "slow", "agents": {"slow": SLOW}}


@dataclass
class Told:
    user: SwarmActions
    lost: Machine
    heir: Machine
    fired: list[str]
    seen: wire.RunDetail
    merged: wire.RunDetail
    events: list[Event]
    rows: dict[str, list[Row]]


@story
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    with machines_at(tmp_path_factory.mktemp("takeover")) as machines:
        yield await _told(machines)


async def _told(machines: Machines) -> Told:
    home = machines.add("home", **AGENTS)
    lost, heir = (machines.add(name, "far", **AGENTS) for name in ("lost", "heir"))
    client = await home.start()
    await lost.start()
    user = home.user(client)
    run = (await client.submit(task(user, "far"))).run.id
    await snapshotted(client, run)
    # Nobody else is there to do it.
    home.fail()
    lost.fail()
    flag = machines.root / "fired"
    for _ in takeovers():
        heir.begin(SWARM_FAULT=" ".join(takeovers()), SWARM_FAULT_FLAG=str(flag))
        await heir.ends()
    await heir.start()
    user = SwarmActions(await home.start(), user.repo)
    seen = await user.until(run, RunState.IN_REVIEW)
    merged = await user.approve(run)
    tables = PostgresTables(machines.database)
    queries = {name: f"SELECT * FROM {name}" for name in ("audit", "turn", "host")}
    rows = {name: tables.state(query) for name, query in queries.items()}
    return Told(
        user, lost, heir, flag.read_text().split(), seen, merged, await user.events(run), rows
    )


async def test_it_died_at_each_of_them(told: Told) -> None:
    assert {"hosts:given_up", "hosts:inherited", "hosts:taken", "hosts:placed"} <= set(takeovers())
    assert sorted(told.fired) == sorted(takeovers())


async def test_the_run_goes_on_there_from_the_last_snapshot(told: Told) -> None:
    assert told.seen.row.run.host == told.heir.id
    assert {file.path for file in told.seen.reviews[-1].files} == {"early.txt", "end.txt"}


async def test_it_is_taken_over_once(told: Told) -> None:
    assert told.seen.row.run.round == 2
    (lost,) = [row for row in told.rows["host"] if row["id"] == told.lost.id]
    assert (lost["state"], lost["epoch"]) == ("dead", 2)


async def test_each_turn_is_there_once_and_the_first_one_counts_as_lost(told: Told) -> None:
    lost = [(row["number"], row["exit_reason"] == "host lost") for row in told.rows["turn"]]
    assert sorted(lost) == [(1, True), (2, False)]


async def test_the_user_is_told_once_and_why_whoever_of_them_says_it(told: Told) -> None:
    notes = [each.body.text for each in told.events if isinstance(each.body, Note)]
    (said,) = [text for text in notes if "goes on elsewhere from its last snapshot" in text]
    assert said.startswith("its host lost was not heard of for ")


async def test_the_change_lands_once_and_every_decision_is_written_down_once(told: Told) -> None:
    assert told.merged.row.run.state == RunState.MERGED
    assert run_git(told.user.repo, "rev-list", "--count", "main") == "2"
    said = [row["what"] for row in told.rows["audit"]]
    assert len(said) == len(set(said))
