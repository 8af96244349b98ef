"""`swarm demo` without a terminal: the main job from end to end, told as one JSON document."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.home import Home
from tests.support.images import require_docker
from tests.support.repos import run_git

FIRST_CAP = 600_000
"""Micro-dollars a run of the demo may spend until a person raises it."""

pytestmark = pytest.mark.timeout(1000)


def demo(home: Home, **env: str) -> dict[str, Any]:
    place = home.root / "tmp"
    place.mkdir()
    done = home.swarm(
        *("demo", "--headless", "--json"), cwd=home.root, seconds=900, TMPDIR=str(place), **env
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def check(result: dict[str, Any]) -> None:
    """Three tasks, one answered, one that asked for a higher budget; every merge commit is on main."""
    tasks = result["tasks"]
    assert [task["state"] for task in tasks] == ["merged"] * 3, [task["reason"] for task in tasks]
    assert [task["answers"] for task in tasks] == [[], ["yes"], ["yes"]]
    assert [task["verdicts"] for task in tasks] == [["approve"]] * 3
    assert [task["spent_micros"] > FIRST_CAP for task in tasks] == [False, False, True]
    repo = Path(result["repository"])
    landed = run_git(repo, "log", "--format=%H", "main").splitlines()
    assert {task["merge_commit"] for task in tasks} < set(landed)
    assert run_git(repo, "status", "--porcelain") == ""


def test_without_an_engine_the_embedded_sandbox_does_it(home: Home) -> None:
    result = demo(home, DOCKER_HOST=f"unix://{home.root}/no-engine.sock")
    assert result["sandbox"] == "memory"
    check(result)


@pytest.mark.docker
def test_with_an_engine_it_runs_in_containers(home: Home) -> None:
    require_docker()
    result = demo(home)
    assert result["sandbox"] == "docker"
    check(result)
