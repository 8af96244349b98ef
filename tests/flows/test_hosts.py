"""Two hosts share the work: one has the user's repository, the other has what the task needs."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app import wire
from app.client.client import Swarm
from app.domain.errors import NotNow
from app.domain.run import RunState
from tests.support.actions import USER, SwarmActions
from tests.support.home import Home
from tests.support.machines import Machine, Machines, machines_at, snapshotted, task
from tests.support.patience import PATIENCE
from tests.support.repos import run_git
from tests.support.scripts import edit, scripted, wait_for
from tests.support.world import story

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("hosts")]

WRITER = scripted([edit("note.txt", "first\n")], [edit("note.txt", "second\n")])
SLOW = scripted([edit("note.txt", "other\n"), wait_for("/never")])
AGENTS: dict[str, Any] = {"agent": "writer", "agents": {"writer": WRITER, "slow": SLOW}}


@dataclass
class Told:
    """What there was to see, from goal to merge."""

    home: Machine
    worker: Machine
    there: Swarm
    user: SwarmActions
    run: str
    reviewed: wire.RunDetail
    beside: str
    overlaps: tuple[wire.Overlap, ...]
    refused: str
    why: wire.Why
    again: wire.RunDetail
    merged: wire.RunDetail
    waits: wire.RunDetail
    kept: str
    hosts: tuple[wire.HostLine, ...]
    namesake: str
    stranger: str
    after: wire.RunDetail
    branch: str


@story
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    root = tmp_path_factory.mktemp("hosts")
    with machines_at(root) as machines:
        yield await _told(machines)


async def _told(machines: Machines) -> Told:
    home = machines.add("laptop", **AGENTS)
    worker = machines.add("tower", "big", **AGENTS)
    client, there = await home.start(), await worker.start()
    user = home.user(client)
    run = (await client.submit(task(user, "big"))).run.id
    waiting = (await client.submit(task(user, "big", "gpu"))).run.id
    reviewed = await user.until(run, RunState.IN_REVIEW)
    beside = (await client.submit(task(user, "big", agent="slow"))).run.id
    await snapshotted(client, beside)
    overlaps = (await client.detail(run)).overlaps
    await client.stop(beside, wire.Act(by=USER))
    why = await client.why(run)
    body = wire.Approve(review=reviewed.reviews[-1].id, tree=reviewed.reviews[-1].result_tree)
    with pytest.raises(NotNow) as refused:
        await there.approve(run, body)
    await user.changes(run, "Make it the second")
    again = await user.until(run, RunState.IN_REVIEW)
    branch = await user.file(run, "note.txt")
    merged = await user.approve(run)
    await user.settled(run)
    waits = await client.detail(waiting)
    twin = machines.add("tower", "big", under="twin", **AGENTS)
    namesake = (await asyncio.to_thread(twin.home.daemon)).stderr
    twin.home.configure({"database": machines.database})
    stranger = (await asyncio.to_thread(twin.home.daemon)).stderr
    kept = run_git(machines.shared, "for-each-ref")
    listed = await client.hosts()
    machines.server.stop()
    for machine in (home, worker):
        await _silent(machine)
    machines.server.start()
    later = (await client.submit(task(user, "big"))).run.id
    after = await user.until(later, RunState.IN_REVIEW)
    return Told(
        home=home,
        worker=worker,
        there=there,
        user=user,
        run=run,
        reviewed=reviewed,
        beside=beside,
        overlaps=overlaps,
        refused=str(refused.value),
        why=why,
        again=again,
        merged=merged,
        waits=waits,
        kept=kept,
        hosts=listed,
        after=after,
        namesake=namesake,
        stranger=stranger,
        branch=branch,
    )


async def _silent(machine: Machine) -> None:
    """Wait until it could not say that it lives for longer than a host may be silent: it tries six times."""
    async with asyncio.timeout(PATIENCE):
        while machine.log.count("could not say that it lives") < 8:
            await asyncio.sleep(0.1)


async def test_a_task_runs_where_the_label_is(told: Told) -> None:
    assert told.reviewed.row.run.host == told.worker.id


async def test_a_task_waits_while_no_host_has_its_labels(told: Told) -> None:
    run = told.waits.row.run
    assert (run.state, run.reason) == (
        RunState.QUEUED,
        "it waits: a host with big, gpu is not up",
    )


async def test_what_another_host_made_is_reviewed_at_home(told: Told) -> None:
    assert [file.path for file in told.reviewed.reviews[-1].files] == ["note.txt"]


async def test_what_another_host_still_works_on_is_named_beside_the_review(told: Told) -> None:
    (overlap,) = told.overlaps
    assert (overlap.run, overlap.paths) == (told.beside, ("note.txt",))


async def test_the_other_host_approves_nothing(told: Told) -> None:
    assert "is on another host" in told.refused
    assert told.refused.endswith(" on laptop")


async def test_it_is_said_on_which_host_a_run_is(told: Told) -> None:
    assert "on the host tower" in told.why.words


async def test_the_other_host_shows_the_diff(told: Told) -> None:
    assert b"+second" in await told.there.diff(told.run)


async def test_the_branch_is_in_the_users_repository(told: Told) -> None:
    assert told.branch == "second"


async def test_a_run_that_is_sent_back_stays_on_its_host(told: Told) -> None:
    assert told.again.row.run.host == told.worker.id


async def test_the_change_lands_at_home(told: Told) -> None:
    assert told.merged.row.run.state == RunState.MERGED
    assert run_git(told.user.repo, "show", "main:note.txt") == "second"


async def test_nothing_of_what_has_landed_is_left_on_the_other_host(told: Told) -> None:
    await told.worker.lets_go(told.run)


async def test_nothing_of_what_has_landed_is_left_in_the_shared_repository(told: Told) -> None:
    assert told.run not in told.kept


async def test_the_other_host_is_told_who_decided(told: Told) -> None:
    rows = await told.there.audit(told.run)
    assert [row.actor for row in rows if row.what == "merged"] == [USER]


async def test_all_hosts_are_listed_with_their_labels(told: Told) -> None:
    found = {host.name: (host.state, host.labels, host.here) for host in told.hosts}
    assert found == {"laptop": ("up", (), True), "tower": ("up", ("big",), False)}


async def test_a_second_host_of_the_same_name_is_refused(told: Told) -> None:
    assert "another host is called 'tower', and was heard of" in told.namesake
    assert "`worker: {name: …}`" in told.namesake


async def test_while_the_database_is_away_nobody_dies(told: Told) -> None:
    assert told.after.row.run.host == told.worker.id
    assert "given up" not in told.home.log + told.worker.log


async def test_a_supervisor_that_takes_no_part_keeps_off_their_database(told: Told) -> None:
    assert "this database is shared by other hosts (laptop, tower)" in told.stranger


def test_a_worker_that_nobody_could_share_with_is_refused(home: Home, tmp_path: Path) -> None:
    done = home.swarm("worker", cwd=tmp_path)
    assert (done.returncode, "config.yaml lacks `database`" in done.stderr) == (2, True)
