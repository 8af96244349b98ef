"""An answer counts even when the program that asked is gone, its box with it."""

import subprocess
from pathlib import Path

import pytest

from app.domain.run import RunState
from tests.support.actions import SwarmActions
from tests.support.home import Home, answering, supervisor_process
from tests.support.images import require_docker, test_image
from tests.support.scripts import ask, edit, scripted

pytestmark = pytest.mark.docker

AGENTS = {
    "once": scripted(
        [ask("Push?", tool="execute", detail="git push", yes=[edit("yes.txt", "{{note}}\n")])]
    )
}


async def test_an_answer_given_after_a_restart_with_the_box_gone_still_counts(
    home: Home, repo: Path
) -> None:
    require_docker()
    box = {"driver": "docker", "image": test_image()}
    home.configure({"agent": "once", "sandbox": box, "agents": AGENTS})
    async with supervisor_process(home) as first:
        user = SwarmActions(await answering(home), repo)
        run = await user.submit()
        question = await user.question(run)
        first.kill()
        first.wait()
    remove_boxes(run)
    async with supervisor_process(home):
        user = SwarmActions(await answering(home), repo)
        assert [each.id for each in await user.client.inbox()] == [question.id]
        await user.answer(question, yes=True, note="after a night")
        shown = await user.until(run, RunState.IN_REVIEW)
        assert await user.file(run, "yes.txt") == "after a night"
        decided = [(each.id, each.answer, each.by) for each in shown.approvals]
        assert decided == [(question.id, "yes", "ada")]


def remove_boxes(run: str) -> None:
    """Everything of the run that the engine has running, as a reboot or a clean-up leaves it."""
    which = ["docker", "ps", "--all", "--quiet", "--filter", f"name={run}"]
    listed = subprocess.run(which, capture_output=True, text=True, check=True).stdout.split()
    assert listed
    subprocess.run(["docker", "rm", "--force", *listed], capture_output=True, check=True)
