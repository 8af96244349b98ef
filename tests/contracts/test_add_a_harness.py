"""Whoever does what `docs/how-to/add-a-harness.md` says has added one, by an entry or by a package."""

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from app.gateway.rehearsal import Rehearsal
from app.gateway.rehearsal_script import Script, Turn
from tests.support import example
from tests.support.home import Home
from tests.support.patience import PATIENCE
from tests.support.world import world_at

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "add-a-harness.md").read_text()
PROGRAM = ROOT / "tests" / "data" / "acp" / "my_agent.py"
"""The agent that the page's entry speaks of."""
PLAIN = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("add-a-harness"),
]


def blocks(language: str) -> list[str]:
    """What stands on the page in fences of that language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [content for written, content in found if written == language]


def command(beginning: str) -> list[str]:
    """The words of the page's one command that begins so."""
    (found,) = (line for block in blocks("") for line in block.splitlines() if beginning in line)
    return shlex.split(found)


ENTRY, ENTRY_OF_MODULE = (yaml.safe_load(block)["agents"] for block in blocks("yaml"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the example's package is installed, by the page's command."""
    words = command("uv pip install")
    assert (ROOT / words[-1]).resolve() == example.PACKAGE
    target = tmp_path_factory.mktemp("installed")
    example.install(target)
    return target


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[Rehearsal]:
    """A model that says what the self-test wants written."""
    async with Rehearsal(Script(plans={"default": (Turn(say="hello"),)})) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `my-agent` is: a shell script that starts the program, as many agents are."""
    place = tmp_path_factory.mktemp("bin")
    program = place / "my-agent"
    program.write_text(f'#!/usr/bin/env bash\nexec {sys.executable} {PROGRAM} "$@"\n')
    program.chmod(0o755)
    return place


@pytest.fixture(scope="module")
def home(
    provider: Rehearsal, installed: Path, programs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    """A user who has written both entries down, and has both programs."""
    key = tmp_path_factory.mktemp("key") / "key"
    key.write_text("sk-some-key")
    settings = {
        "sandbox": {"driver": "local"},
        "gateway": {"upstreams": {"openai": {"url": f"{provider.url}/v1", "key": f"file:{key}"}}},
    }
    agents = {**ENTRY, **ENTRY_OF_MODULE}
    root = tmp_path_factory.mktemp("world")
    with world_at(root, agents=agents, settings=settings) as made:
        path = f"{programs}{os.pathsep}{made.env['PATH']}"
        yield Home(
            made.root, made.runtime, {**made.env, "PATH": path, "PYTHONPATH": str(installed)}
        )


async def swarm(home: Home, *words: str) -> tuple[int, Any]:
    """What `swarm` prints as JSON, and its exit code. The supervisor is a process of its own."""
    done = await asyncio.to_thread(home.swarm, *words, "--json", cwd=home.root)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


async def test_the_entry_of_the_page_works(home: Home) -> None:
    words = command("swarm agents test my-agent")[1:]
    code, trial = await swarm(home, *words, "--seconds", str(int(PATIENCE)))
    assert [step for step in trial["steps"] if not step["ok"]] == []
    assert code == 0
    assert trial["calls"] == 1
    assert trial["micros"] > 0


async def test_both_entries_are_listed_as_usable(home: Home) -> None:
    _, lines = await swarm(home, "agents")
    usable = {line["name"]: line["usable"] for line in lines}
    assert usable["my-agent"]
    assert usable["codex-once"], lines


async def test_the_package_is_found_by_its_entry_point_and_passes_the_contract(
    installed: Path,
) -> None:
    setting, *words = command("SWARM_TRANSCRIPTS=")
    name, _, value = setting.partition("=")
    assert words[0] == "python"
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, *words[1:], "-q", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={**PLAIN, name: value, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3_000:]
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) > 25
