"""The supervisor goes and comes back: agents never notice, and nothing is said or done twice."""

import asyncio
import os
import signal
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from app import wire
from app.domain.events import TurnStarted
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal
from harnesses.events import MessageChunk
from tests.support.actions import SwarmActions
from tests.support.home import Home, answering, supervised, supervisor_process
from tests.support.repos import run_git
from tests.support.scripts import ask, edit, scripted, tokens, wait_for
from tests.support.world import paid_at

AGENTS = {
    "worker": scripted(
        [
            {"run": "echo started >> ../../started"},
            {"say": "before"},
            edit("work.txt", "1\n"),
            wait_for("../../go"),
            {"say": "after"},
            edit("work.txt", "2\n"),
        ]
    ),
    "asker": scripted(
        [ask("May I?", tool="fetch", yes=[edit("yes.txt", "{{note}}\n")], no=[edit("no.txt", "")])]
    ),
}


@pytest.fixture
def working(home: Home) -> Home:
    home.configure({"agent": "worker", "sandbox": {"driver": "memory"}, "agents": AGENTS})
    return home


async def test_a_question_outlives_the_supervisor_and_so_does_its_answer(
    working: Home, repo: Path
) -> None:
    async with supervised(working) as client:
        user = SwarmActions(client, repo)
        run = await user.submit(agent="asker")
        question = await user.question(run)
    async with supervised(working) as client:
        user = SwarmActions(client, repo)
        assert (await user.question(run)).id == question.id
        assert [each.id for each in await client.inbox()] == [question.id]
        await user.answer(question, yes=True, note="after a night")
        await user.until(run, RunState.IN_REVIEW)
        assert await user.file(run, "yes.txt") == "after a night"


async def test_an_answer_given_just_before_the_end_still_reaches_the_agent(
    working: Home, repo: Path
) -> None:
    async with supervised(working) as client:
        user = SwarmActions(client, repo)
        run = await user.submit(agent="asker")
        await user.answer(await user.question(run), yes=True, note="quickly")
    async with supervised(working) as client:
        user = SwarmActions(client, repo)
        await user.until(run, RunState.IN_REVIEW)
        assert await user.file(run, "yes.txt") == "quickly"


async def test_a_run_that_waits_for_money_still_does_after_a_restart(
    home: Home, repo: Path
) -> None:
    async with Rehearsal() as endpoint:
        spender = scripted(
            [edit("a.txt", "1\n"), tokens(10_000, 1_000, times=2), edit("b.txt", "2\n")],
            [tokens(10_000, 1_000), edit("b.txt", "2\n")],
        )
        home.configure(
            {
                "sandbox": {"driver": "memory"},
                "agents": {"spender": spender},
                "gateway": paid_at(endpoint.url),
            }
        )
        async with supervised(home) as client:
            user = SwarmActions(client, repo)
            run = await user.submit(agent="spender", budget="0.03")
            question = await user.question(run)
        async with supervised(home) as client:
            user = SwarmActions(client, repo)
            # The call was lost: the agent asks again, or has ended and its run is parked.
            await user.until(run, RunState.WAITING, RunState.PARKED)
            assert [each.id for each in await client.inbox()] == [question.id]
            await user.answer(question, yes=True)
            await user.until(run, RunState.IN_REVIEW)
            assert await user.file(run, "b.txt") == "2"


@dataclass(frozen=True)
class Survived:
    """A run during whose turn the supervisor was killed."""

    detail: wire.RunDetail
    started: int
    said: list[str]
    turns: int
    numbers: list[int]
    landed: str


async def _survived(home: Home, repo: Path, how: signal.Signals) -> Survived:
    async with supervisor_process(home) as first:
        user = SwarmActions(await answering(home), repo)
        run = await user.submit()
        await user.wrote(run, "work.txt")
        first.send_signal(how)
        first.wait(60)
    (home.state / "sandboxes" / run / "tree/../../go").resolve().touch()
    async with supervisor_process(home):
        user = SwarmActions(await answering(home), repo)
        detail = await user.until(run, RunState.IN_REVIEW)
        events = await user.events(run)
        await user.approve(run)
        return Survived(
            detail=detail,
            started=(home.state / "sandboxes" / "started").read_text().count("started"),
            said=[event.body.text for event in events if isinstance(event.body, MessageChunk)],
            turns=sum(isinstance(event.body, TurnStarted) for event in events),
            numbers=[event.seq for event in events],
            landed=run_git(repo, "show", "main:work.txt"),
        )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_turn_is_attached_to_and_not_started_again(
    working: Home, repo: Path, how: signal.Signals
) -> None:
    survived = await _survived(working, repo, how)
    assert survived.started == 1
    assert survived.turns == 1
    assert survived.said == ["before", "after"]
    assert survived.numbers == sorted(set(survived.numbers))
    assert survived.landed == "2"


async def test_what_an_agent_did_last_is_no_younger_for_being_read_again(
    home: Home, repo: Path
) -> None:
    agent = scripted([{"say": "before"}, edit("work.txt", "1\n"), wait_for("../../go")])
    home.configure({"agents": {"worker": agent}, "sandbox": {"driver": "memory"}})
    async with supervised(home) as client:
        user = SwarmActions(client, repo)
        run = await user.submit(agent="worker")
        while not any("until" in str(event.body) for event in await user.events(run)):
            await asyncio.sleep(0.05)
    query = "SELECT activity, activity_at FROM run"
    with closing(sqlite3.connect(home.state / "state.db")) as state:
        before = state.execute(query).fetchone()
    (home.state / "sandboxes" / "go").touch()
    async with supervised(home) as client:
        after = (await SwarmActions(client, repo).until(run, RunState.IN_REVIEW)).row
    assert (after.activity, after.activity_at) == before


async def test_the_agent_works_on_while_there_is_no_supervisor(working: Home, repo: Path) -> None:
    async with supervisor_process(working) as first:
        user = SwarmActions(await answering(working), repo)
        run = await user.submit()
        await user.wrote(run, "work.txt")
        os.kill(first.pid, signal.SIGKILL)
        first.wait(60)
    tree = working.state / "sandboxes" / run / "tree"
    (tree / "../../go").resolve().touch()
    while (tree / "work.txt").read_text() != "2\n":
        await asyncio.sleep(0.05)
    async with supervised(working) as client:
        await SwarmActions(client, repo).until(run, RunState.IN_REVIEW)


async def test_an_agent_goes_on_through_an_upgrade(working: Home, repo: Path) -> None:
    assert working.swarm("run", "Write a note", cwd=repo).returncode == 0
    user = SwarmActions(await answering(working), repo)
    (row,) = (await user.client.board()).rows
    await user.until(row.run.id, RunState.WORKING)
    before = working.supervisor_pid()
    done = await asyncio.to_thread(working.swarm, "upgrade", cwd=repo)
    assert done.returncode == 0, done.stderr
    assert f"(process {before}) has ended" in done.stdout
    assert f"(process {working.supervisor_pid()}) is in charge; 1 run goes on" in done.stdout
    (working.state / "sandboxes" / "go").touch()
    await user.until(row.run.id, RunState.IN_REVIEW)
    assert len([e for e in await user.events(row.run.id) if isinstance(e.body, TurnStarted)]) == 1


async def test_an_upgrade_ends_a_supervisor_that_speaks_another_protocol(home: Home) -> None:
    home.configure({"agent": "worker", "sandbox": {"driver": "memory"}, "agents": AGENTS})
    async with supervisor_process(home, protocol=wire.PROTOCOL + 1) as other:
        await answering(home)
        done = await asyncio.to_thread(home.swarm, "upgrade", cwd=home.root)
        assert done.returncode == 0, done.stderr
        assert other.wait(60) == 0
    assert f"(process {other.pid}) has ended" in done.stdout
