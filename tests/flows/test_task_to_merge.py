"""The main job, with the embedded sandbox and a scripted agent: from a goal to a commit on the target."""

from app.domain.run import RunState
from tests.support.actions import SwarmActions
from tests.support.home import GIT_EMAIL
from tests.support.repos import run_git


async def test_an_approved_change_is_on_the_target_and_in_the_checkout(swarm: SwarmActions) -> None:
    run = await swarm.submit("Write a note")
    done = await swarm.approve(run)
    assert done.row.run.state == RunState.MERGED
    assert (swarm.repo / "scripted.md").read_text().endswith("Write a note\n")
    assert run_git(swarm.repo, "status", "--porcelain") == ""


async def test_the_commit_is_the_users_and_tells_where_it_comes_from(swarm: SwarmActions) -> None:
    run = await swarm.submit("Write a note\n\nIt should be short.")
    done = await swarm.approve(run)
    message = run_git(swarm.repo, "log", "-1", "--format=%ae%n%B")
    assert message.startswith(
        f"ada@example.org\nWrite a note\n\nIt should be short.\n\nSwarm-Run: {run}\n"
    )
    assert f"Swarm-Review: {done.reviews[-1].id}" in message
    assert GIT_EMAIL == "ada@example.org"


async def test_what_lands_is_the_tree_that_was_approved(swarm: SwarmActions) -> None:
    run = await swarm.submit()
    shown = await swarm.review(run)
    await swarm.approve(run)
    assert run_git(swarm.repo, "rev-parse", "main^{tree}") == shown.result_tree


async def test_the_audit_says_who_approved_what(swarm: SwarmActions) -> None:
    run = await swarm.submit()
    shown = await swarm.review(run)
    await swarm.approve(run)
    rows = {row.what: row for row in await swarm.client.audit(run)}
    assert rows["approve"].actor == "ada"
    assert rows["approve"].detail["tree"] == shown.result_tree
    assert rows["merged"].detail["commit"] == run_git(swarm.repo, "rev-parse", "main")


async def test_nothing_of_a_merged_run_is_left(swarm: SwarmActions) -> None:
    run = await swarm.submit()
    shown = await swarm.approve(run)
    await swarm.settled(run)
    assert run_git(swarm.repo, "worktree", "list").count("\n") == 0
    assert run_git(swarm.repo, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert not (swarm.repo.parent / "state" / "sandboxes" / shown.row.run.id).exists()
