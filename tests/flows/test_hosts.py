"""Two hosts share the work: one has the user's repository, the other has what the task needs."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app import wire
from app.domain.run import RunState
from tests.support.actions import USER, SwarmActions
from tests.support.machines import Machine, Machines
from tests.support.postgres import Cluster, cluster
from tests.support.repos import run_git
from tests.support.scripts import edit, scripted
from tests.support.world import story

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("hosts")]

WRITER = scripted([edit("note.txt", "first\n")], [edit("note.txt", "second\n")])


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as running:
        yield running


@dataclass
class Told:
    """What there was to see, from goal to merge."""

    home: Machine
    worker: Machine
    user: SwarmActions
    run: str
    reviewed: wire.RunDetail
    again: wire.RunDetail
    merged: wire.RunDetail
    shared: Path


@story
async def told(server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    root = tmp_path_factory.mktemp("hosts")
    with Machines(root, server.database()) as machines:
        home = machines.add("laptop", agents={"writer": WRITER})
        worker = machines.add("tower", agents={"writer": WRITER}, worker={"labels": ["big"]})
        home.start()
        worker.start()
        client = await home.client()
        await worker.client()
        user = home.user(client)
        run = (await client.submit(task(user))).run.id
        reviewed = await user.until(run, RunState.IN_REVIEW)
        await user.changes(run, "Make it the second")
        again = await user.until(run, RunState.IN_REVIEW)
        merged = await user.approve(run)
        yield Told(home, worker, user, run, reviewed, again, merged, machines.shared)


def task(user: SwarmActions, *needs: str, **more: object) -> wire.NewTask:
    wanted = {"goal": "Write a note", "repo": str(user.repo), "submitter": USER} | more
    return wire.NewTask(needs=needs or ("big",), **wanted)  # type: ignore[arg-type]


async def test_a_task_runs_where_the_label_is(told: Told) -> None:
    assert told.reviewed.row.run.host == told.worker.id


async def test_what_another_host_made_is_reviewed_at_home(told: Told) -> None:
    assert [file.path for file in told.reviewed.reviews[-1].files] == ["note.txt"]


async def test_the_branch_is_in_the_users_repository(told: Told) -> None:
    assert await told.user.file(told.run, "note.txt") == "second"


async def test_a_run_that_is_sent_back_stays_on_its_host(told: Told) -> None:
    assert told.again.row.run.host == told.worker.id


async def test_the_change_lands_at_home(told: Told) -> None:
    assert told.merged.row.run.state == RunState.MERGED
    assert run_git(told.user.repo, "show", "main:note.txt") == "second"
