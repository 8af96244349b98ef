"""What cannot be done is said, and can be tried again; nothing looks busy that is not."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from app import wire
from app.domain.ids import RunId
from app.domain.run import RunState
from app.supervisor.names import attempt_id
from tests.support.actions import USER, SwarmActions
from tests.support.home import Home, supervised
from tests.support.invariants import World
from tests.support.kills import careful, configured
from tests.support.scripts import ask, wait_for

ACT = wire.Act(by=USER)


async def left_at_work(home: Home, repo: Path) -> tuple[str, Path]:
    """A run whose supervisor has ended while its agent works; the file for which that waits."""
    gate = home.root / "go"
    home.configure(configured(agents={"careful": careful("hello", wait_for(str(gate)))}))
    async with supervised(home) as client:
        user = SwarmActions(client, repo)
        run = await user.submit(agent="careful")
        await user.until(run, RunState.WORKING)
    return run, gate


async def test_a_repository_that_vanishes_fails_the_run_and_resume_goes_on_once_it_is_back(
    home: Home, repo: Path
) -> None:
    gate, away = home.root / "go", home.root / "away"
    home.configure(configured(agents={"careful": careful("hello", wait_for(str(gate)))}))
    async with supervised(home) as client:
        user = SwarmActions(client, repo)
        run = await user.submit(agent="careful")
        await user.until(run, RunState.WORKING)
        repo.rename(away)
        gate.touch()
        failed = await user.until(run, RunState.FAILED)
        away.rename(repo)
        await client.resume(run, wire.Resume(by=USER))
        await user.approve(run)
        await user.settled(run)
    assert str(repo) in failed.row.run.reason
    # The socket of this process's own supervisor stays until the home goes.
    assert [said for said in World(home, repo).broken() if "api.sock" not in said] == []


async def test_nobody_is_asked_by_an_agent_that_could_not_be_tended_any_more(
    home: Home, repo: Path
) -> None:
    asks = ask("May I?", tool="fetch", yes=[])
    home.configure(configured(agents={"careful": careful("hello", asks)}))
    async with supervised(home) as client:
        user = SwarmActions(client, repo)
        run = await user.submit(agent="careful")
        await user.until(run, RunState.WAITING)
    repo.rename(home.root / "away")
    async with supervised(home) as client:
        await SwarmActions(client, repo).until(run, RunState.FAILED)
        assert await client.inbox() == ()


async def test_a_host_whose_name_is_lost_goes_by_the_one_that_its_runs_know(
    home: Home, repo: Path
) -> None:
    run, gate = await left_at_work(home, repo)
    (home.state / "host").write_text("")
    gate.touch()
    async with supervised(home) as client:
        await SwarmActions(client, repo).until(run, RunState.IN_REVIEW)


async def test_what_a_clean_up_could_not_remove_is_removed_at_the_next_start(
    home: Home, repo: Path
) -> None:
    away = home.root / "away"
    home.configure(configured())
    async with supervised(home) as client:
        user = SwarmActions(client, repo)
        run = await user.submit(agent="careful")
        shown = await user.until(run, RunState.IN_REVIEW)
        repo.rename(away)
        await client.discard(run, ACT)
        while not any("is left" in str(event.body) for event in await user.events(run)):
            await asyncio.sleep(0.05)
        away.rename(repo)
    assert Path(shown.row.run.worktree).exists()
    async with supervised(home) as client:
        await SwarmActions(client, repo).settled(run)
    assert not Path(shown.row.run.worktree).exists()


async def test_a_run_whose_workflow_has_ended_without_it_is_failed_at_the_next_start(
    home: Home, repo: Path
) -> None:
    run, gate = await left_at_work(home, repo)
    with closing(sqlite3.connect(home.state / "state.db")) as state, state:
        state.execute(
            "UPDATE workflow_status SET status = 'MAX_RECOVERY_ATTEMPTS_EXCEEDED' WHERE workflow_uuid = ?",
            (attempt_id(RunId(run), 1),),
        )
    async with supervised(home) as client:
        user = SwarmActions(client, repo)
        failed = await user.until(run, RunState.FAILED)
        gate.touch()
        await client.resume(run, wire.Resume(by=USER))
        await user.until(run, RunState.IN_REVIEW)
    assert "died too often" in failed.row.run.reason
