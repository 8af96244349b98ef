"""The main job from the command line, with a real agent in Docker, from a goal to an approved commit."""

import asyncio
import json
from pathlib import Path

import pytest

from app.gateway.rehearsal import Rehearsal
from tests.support.repos import run_git
from tests.support.world import World

pytestmark = [
    pytest.mark.docker,
    pytest.mark.real,
    pytest.mark.asyncio(loop_scope="module"),
]
CHECK = (
    "python3 -c \"import sys; sys.path.insert(0, 'src'); import app; assert app.add(2, 3) == 5\""
)


async def swarm(house: World, *args: str, cwd: Path) -> tuple[int, str, str]:
    """Run the command line while this process serves the supervisor and the model."""
    done = await asyncio.to_thread(house.home.swarm, *args, cwd=cwd)
    return done.returncode, done.stdout, done.stderr


async def test_a_goal_becomes_a_checked_and_approved_commit(
    house: World, provider: Rehearsal
) -> None:
    project = house.user(agent="claude-code").repo
    code, out, err = await swarm(
        house,
        *("run", "Make add() add [[plan:mend]]", "--check", CHECK),
        *("--budget", "1.00", "--wait", "--json"),
        cwd=project,
    )
    assert code == 3, out + err  # it needs a human now
    run = json.loads(out.strip().splitlines()[-1])["id"]
    assert all(call.authorized for call in provider.calls)

    _, diff, _ = await swarm(house, "diff", run, cwd=project)
    assert "-    return a - b" in diff
    assert "+    return a + b" in diff

    _, shown, _ = await swarm(house, "show", run, "--json", cwd=project)
    detail = json.loads(shown)
    assert [check["passed"] for check in detail["reviews"][-1]["checks"]] == [True]
    assert detail["spend"]["micros"] == sum_billed(provider)
    worktree = Path(detail["row"]["run"]["worktree"])
    assert "return a + b" in (worktree / "src/app.py").read_text()

    tree = detail["reviews"][-1]["result_tree"]
    code, out, err = await swarm(house, "approve", run, "--yes", cwd=project)
    assert code == 0, out + err
    assert run_git(project, "rev-parse", "main^{tree}") == tree
    assert "return a + b" in (project / "src/app.py").read_text()

    _, audit, _ = await swarm(house, "audit", "export", "--json", cwd=project)
    approved = [row for row in json.loads(audit) if row["what"] == "approve"]
    assert approved[0]["detail"]["tree"] == tree


def sum_billed(provider: Rehearsal) -> int:
    """What the provider charges for the calls it saw: $3 and $15 a million for this model."""
    billed = [call.billed for call in provider.calls if call.billed is not None]
    return sum(tokens.input * 3 + tokens.output * 15 for tokens in billed)
