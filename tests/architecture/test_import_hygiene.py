"""What is loaded when, seen in a fresh interpreter: start-up stays quick because heavy parts stay away."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import verbs
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]
HEAVY = frozenset(
    {
        *("asyncio", "pydantic", "httpx", "sqlalchemy", "textual", "dbos", "docker", "yaml"),
        *("aiohttp", "starlette", "uvicorn", "rich", "msgspec"),
    }
)
REPORT = """
import atexit, json, sys

atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.__stderr__))
"""


def loaded(code: str, *, home: Path) -> set[str]:
    """Top-level names of the modules that are loaded at the end of `code`."""
    env = {**os.environ, "HOME": str(home), "SWARM_STATE_DIR": str(home / "state"), "TERM": "dumb"}
    done = subprocess.run(
        [sys.executable, "-c", REPORT + code],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    names: list[str] = json.loads(done.stderr.splitlines()[-1])
    return {name.partition(".")[0] for name in names} | set(names)


def swarm(*arguments: str) -> str:
    return f"from app.cli.main import run; sys.exit(run({list(arguments)!r}))"


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("run", "--help"), ("rnu",)])
def test_help_and_version_load_nothing_heavy(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert loaded(swarm(*arguments), home=tmp_path) & HEAVY == set()


def test_a_verb_loads_no_other_verb(tmp_path: Path) -> None:
    ours = {name for name in loaded(swarm("ps", "--help"), home=tmp_path) if "app.cli." in name}
    assert ours <= {f"app.cli.{name}" for name in ("call", "failure", "lists", "main", "verbs")}


def test_a_verb_that_asks_the_supervisor_loads_only_the_client(tmp_path: Path) -> None:
    code = (
        "from app.cli import lists, logs, waiting, detail, narrate; from app.client import launch"
    )
    allowed = {"asyncio", "msgspec"}
    assert loaded(code, home=tmp_path) & HEAVY <= allowed


@pytest.mark.parametrize("module", sorted({leaf[0] for _, leaf in verbs.leaves()}))
def test_a_verbs_file_is_light(module: str, tmp_path: Path) -> None:
    assert loaded(f"import app.cli.{module}", home=tmp_path) & HEAVY == set()


@pytest.mark.parametrize("package", ["app", "harnesses", "sandboxes", "policies"])
def test_importing_a_package_loads_nothing_further(package: str, tmp_path: Path) -> None:
    before = loaded("", home=tmp_path)
    after = loaded(f"import {package}", home=tmp_path)
    assert after - before == {package}


@pytest.mark.parametrize("package", ["app", "harnesses", "sandboxes", "policies"])
def test_importing_a_package_has_no_effects(package: str, tmp_path: Path) -> None:
    loaded(f"import {package}", home=tmp_path)
    assert list(tmp_path.iterdir()) == []
