"""Stopping, resuming, trying again and taking back: a person is always in charge."""

from pathlib import Path

import pytest

from app import wire
from app.domain.errors import NotFound, NotNow
from app.domain.run import RunState
from tests.support.actions import USER
from tests.support.repos import commit, run_git
from tests.support.scripts import ask, edit, scripted
from tests.support.world import World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"concurrency": 1}
SLEEPY = {"sleep": 600}
AGENTS = {
    "sleeper": scripted(
        [edit("work.txt", "begun\n"), SLEEPY], [edit("more.txt", "{{prompt}}\n{{remembered}}\n")]
    ),
    "asker": scripted([ask("May I?", tool="fetch", yes=[SLEEPY])], [edit("more.txt", "x\n")]),
    "other": scripted([edit("other.txt", "by another agent\n")]),
    "deaf": scripted(
        [edit("deaf", "\n"), {"run": "trap '' TERM INT; while :; do sleep 0.1; done"}]
    ),
}


@story
async def stopped(world: World) -> wire.RunDetail:
    """Stopped while the agent was at work."""
    user = world.user()
    run = await user.submit(agent="sleeper")
    await user.wrote(run, "work.txt")
    await user.stop(run)
    return await user.until(run, RunState.CANCELLED)


async def test_a_stopped_run_says_who_stopped_it(stopped: wire.RunDetail) -> None:
    assert stopped.row.run.reason == f"stopped by {USER}"


async def test_what_a_stopped_run_has_done_is_on_its_branch(
    world: World, stopped: wire.RunDetail
) -> None:
    assert await world.at(stopped).file(stopped.row.run.id, "work.txt") == "begun"


async def test_stopping_what_is_stopped_is_refused(world: World, stopped: wire.RunDetail) -> None:
    with pytest.raises(NotNow, match="nothing to stop"):
        await world.at(stopped).stop(stopped.row.run.id)


@story
async def resumed(world: World, stopped: wire.RunDetail) -> wire.RunDetail:
    user = world.at(stopped)
    await user.resume(stopped.row.run.id)
    return await user.until(stopped.row.run.id, RunState.IN_REVIEW)


async def test_a_resumed_run_goes_on_in_its_conversation_and_its_files(
    world: World, resumed: wire.RunDetail
) -> None:
    told = (await world.at(resumed).file(resumed.row.run.id, "more.txt")).splitlines()
    assert told[0].startswith("Go on with the task where it stopped.")
    assert told[-1] == "1"
    assert await world.at(resumed).file(resumed.row.run.id, "work.txt") == "begun"


async def test_resuming_what_is_not_stopped_is_refused(
    world: World, resumed: wire.RunDetail
) -> None:
    with pytest.raises(NotNow, match="only a stopped run can be resumed"):
        await world.at(resumed).resume(resumed.row.run.id)


async def test_a_waiting_run_can_be_stopped_and_its_question_is_closed(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="asker")
    await user.question(run)
    await user.stop(run)
    shown = await user.until(run, RunState.CANCELLED)
    assert [(question.answer, question.by) for question in shown.approvals] == [("no", "swarm")]


async def test_a_run_that_waits_for_its_turn_can_be_stopped(world: World) -> None:
    user = world.user()
    first = await user.submit(agent="sleeper")
    await user.until(first, RunState.WORKING)
    second = await user.submit(agent="other")
    await user.stop(second)
    stopped_at_once = await user.until(second, RunState.CANCELLED)
    assert (await world.client.detail(first)).row.run.state == RunState.WORKING
    assert stopped_at_once.row.run.branch == ""
    await user.stop(first)
    await user.until(first, RunState.CANCELLED)
    assert run_git(user.repo, "branch", "--list", "swarm/*").count("\n") == 0
    await user.resume(second)
    await user.until(second, RunState.IN_REVIEW)


async def test_what_a_person_decides_does_not_wait_for_agents_at_work(world: World) -> None:
    user = world.user()
    ready = await user.submit(agent="other")
    await user.review(ready)
    busy = await user.submit(agent="sleeper")
    await user.until(busy, RunState.WORKING)
    await user.approve(ready)
    assert (await world.client.detail(busy)).row.run.state == RunState.WORKING
    await user.stop(busy)
    await user.until(busy, RunState.CANCELLED)


async def test_an_agent_that_does_not_listen_is_killed(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="deaf")
    await user.wrote(run, "deaf")
    await user.stop(run)
    stopped = await user.until(run, RunState.CANCELLED)
    assert stopped.row.run.reason == f"stopped by {USER}"


@story
async def retried(world: World, stopped: wire.RunDetail) -> wire.RunDetail:
    """The task of the stopped run, given to another agent."""
    user = world.user()
    run = await user.submit(agent="sleeper")
    await user.wrote(run, "work.txt")
    await user.stop(run)
    await user.until(run, RunState.CANCELLED)
    row = await world.client.retry(run, wire.Retry(agent="other", by=USER))
    return await user.until(row.run.id, RunState.IN_REVIEW)


async def test_a_retry_is_a_fresh_run_of_the_same_task(retried: wire.RunDetail) -> None:
    assert [(run.number, run.agent) for run in retried.runs] == [(1, "sleeper"), (2, "other")]
    assert retried.row.run.files == 1


async def test_a_retry_has_a_branch_of_its_own(retried: wire.RunDetail) -> None:
    first, second = retried.runs
    assert first.branch != second.branch
    assert Path(first.worktree, "work.txt").exists()
    assert not Path(second.worktree, "work.txt").exists()


async def test_an_unknown_agent_cannot_retry(world: World, retried: wire.RunDetail) -> None:
    with pytest.raises(NotFound, match="othr"):
        await world.client.retry(retried.row.run.id, wire.Retry(agent="othr", by=USER))


@story
async def undone(world: World) -> wire.RunDetail:
    """Landed, followed by somebody's commit, then undone."""
    user = world.user()
    run = await user.submit(agent="other")
    await user.approve(run)
    commit(user.repo, {"later.txt": "later\n"}, "later")
    await world.client.undo(run, wire.Act(by=USER))
    return await world.client.detail(run)


async def test_an_undo_is_a_commit_that_takes_the_change_back(
    world: World, undone: wire.RunDetail
) -> None:
    repo = world.at(undone).repo
    subjects = run_git(repo, "log", "--format=%s").splitlines()
    assert subjects == ["Undo: Write a note", "later", "Write a note", "start"]
    assert not (repo / "other.txt").exists()
    assert (repo / "later.txt").exists()
    assert run_git(repo, "status", "--porcelain") == ""


async def test_an_undo_is_in_the_audit(world: World, undone: wire.RunDetail) -> None:
    rows = {row.what: row for row in await world.client.audit(undone.row.run.id)}
    assert rows["undone"].actor == USER
    assert rows["undone"].detail["undoes"] == undone.reviews[-1].merged


async def test_undoing_twice_undoes_once(world: World, undone: wire.RunDetail) -> None:
    await world.client.undo(undone.row.run.id, wire.Act(by=USER))
    subjects = run_git(world.at(undone).repo, "log", "--format=%s").splitlines()
    assert subjects[0:2] == ["Undo: Write a note", "later"]


async def test_only_what_has_landed_can_be_undone(world: World, retried: wire.RunDetail) -> None:
    with pytest.raises(NotNow, match="only a merged change can be undone"):
        await world.client.undo(retried.row.run.id, wire.Act(by=USER))
