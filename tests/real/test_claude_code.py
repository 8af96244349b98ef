"""The main job with the real Claude Code, in a Docker sandbox, through the gateway, from the command line."""

import json
from pathlib import Path

import pytest

from app.domain.money import parse_dollars
from app.gateway.rehearsal import Rehearsal
from tests.real.conftest import REAL_KEY
from tests.support.home import Home
from tests.support.repos import run_git

pytestmark = [pytest.mark.docker, pytest.mark.real, pytest.mark.timeout(300)]

CHECK = (
    "python3 -c \"import sys; sys.path.insert(0, 'src'); import app; assert app.add(2, 3) == 5\""
)


async def in_thread(home: Home, *args: str, cwd: Path) -> "tuple[int, str, str]":
    """Run the command line while this process serves the model endpoint."""
    import asyncio

    done = await asyncio.to_thread(home.swarm, *args, cwd=cwd, seconds=240)
    return done.returncode, done.stdout, done.stderr


async def test_a_goal_becomes_a_checked_and_approved_commit(
    claude_home: Home, project: Path, provider: Rehearsal
) -> None:
    code, out, err = await in_thread(
        claude_home,
        *("run", "Make add() add [[plan:edit]]", "--agent", "claude-code", "--check", CHECK),
        *("--budget", "1.00", "--wait", "--json"),
        cwd=project,
    )
    assert code == 3, out + err  # it needs a human now
    run = json.loads(out.strip().splitlines()[-1])["id"]
    assert all(call.authorized for call in provider.calls)

    _, diff, _ = await in_thread(claude_home, "diff", run, cwd=project)
    assert "-    return a - b" in diff
    assert "+    return a + b" in diff

    _, shown, _ = await in_thread(claude_home, "show", run, "--json", cwd=project)
    detail = json.loads(shown)
    assert [check["passed"] for check in detail["reviews"][-1]["checks"]] == [True]
    assert detail["spend"]["micros"] == sum_billed(provider)
    worktree = Path(detail["row"]["run"]["worktree"])
    assert "return a + b" in (worktree / "src/app.py").read_text()

    tree = detail["reviews"][-1]["result_tree"]
    code, out, err = await in_thread(claude_home, "approve", run, "--yes", cwd=project)
    assert code == 0, out + err
    assert run_git(project, "rev-parse", "main^{tree}") == tree
    assert "return a + b" in (project / "src/app.py").read_text()

    _, audit, _ = await in_thread(claude_home, "audit", "export", "--json", cwd=project)
    approved = [row for row in json.loads(audit) if row["what"] == "approve"]
    assert approved[0]["detail"]["tree"] == tree


async def test_the_real_key_is_nowhere_in_the_box(
    claude_home: Home, project: Path, provider: Rehearsal
) -> None:
    code, out, err = await in_thread(
        claude_home, "run", "Look around [[plan:shell]]", "--wait", cwd=project
    )
    assert code == 3, out + err
    _, diff, _ = await in_thread(claude_home, "diff", out.split()[0], cwd=project)
    assert "+looked" in diff  # the agent's own shell ran
    assert "CLAUDE" in diff  # and told its environment
    assert REAL_KEY not in diff
    assert "swarm-run-" not in diff  # the run's own key is kept from the agent's shells too
    assert provider.calls


async def test_the_budget_stops_the_agent_and_loses_nothing(
    claude_home: Home, project: Path, provider: Rehearsal
) -> None:
    code, out, err = await in_thread(
        claude_home,
        *("run", "Write a book [[plan:endless]]", "--budget", "0.90", "--wait"),
        cwd=project,
    )
    assert code == 4, out + err
    _, shown, _ = await in_thread(claude_home, "show", out.split()[0], "--json", cwd=project)
    detail = json.loads(shown)
    assert detail["row"]["run"]["state"] == "parked"
    assert detail["spend"]["refused"] == 1
    assert detail["spend"]["micros"] <= parse_dollars("0.90")
    assert detail["row"]["run"]["files"] > 0, err


def sum_billed(provider: Rehearsal) -> int:
    """What the provider charges for the calls it saw: $3 and $15 a million for this model."""
    billed = [call.billed for call in provider.calls if call.billed is not None]
    return sum(tokens.input * 3 + tokens.output * 15 for tokens in billed)
