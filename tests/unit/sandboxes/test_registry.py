"""Finding drivers by name."""

import subprocess
import sys
from pathlib import Path

import pytest

from sandboxes import registry
from sandboxes.errors import SandboxRefused, UnknownDriver
from sandboxes.spec import SandboxSpec


def test_the_shipped_drivers_are_installed() -> None:
    assert {"docker", "local", "memory"} <= set(registry.names())


def test_naming_drivers_imports_none_of_them() -> None:
    script = (
        "import sys; from sandboxes import registry; registry.names();"
        "print([name for name in sys.modules if name.startswith(('docker', 'sandboxes.docker'))])"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"


def test_a_driver_knows_its_own_name(tmp_path: Path) -> None:
    loaded = registry.load_all(tmp_path)
    assert {name: driver.name for name, driver in loaded.items()} == {name: name for name in loaded}


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownDriver, match="'dokcer'") as caught:
        registry.load("dokcer", tmp_path)
    assert caught.value.hint == "Did you mean 'docker'?"


def test_a_name_like_no_other_is_answered_with_all(tmp_path: Path) -> None:
    with pytest.raises(UnknownDriver) as caught:
        registry.load("zzz", tmp_path)
    assert "docker, local, memory" in caught.value.hint


def test_loading_a_driver_touches_nothing(tmp_path: Path) -> None:
    registry.load_all(tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_the_embedded_sandbox_refuses_agents_with_a_mind_of_their_own(tmp_path: Path) -> None:
    driver = registry.load("memory", tmp_path)
    with pytest.raises(SandboxRefused, match="only scripted agents") as caught:
        await driver.open(SandboxSpec(name="r1", owner="me"))
    assert "Docker" in caught.value.hint


async def test_a_refused_sandbox_leaves_nothing(tmp_path: Path) -> None:
    driver = registry.load("memory", tmp_path)
    with pytest.raises(SandboxRefused):
        await driver.open(SandboxSpec(name="r1", owner="me"))
    assert list(tmp_path.iterdir()) == []


def test_isolation_is_told_truly(tmp_path: Path) -> None:
    loaded = registry.load_all(tmp_path)
    told = {name: loaded[name].isolation for name in ("docker", "local", "memory")}
    assert told == {"docker": "container", "local": "none", "memory": "scripted"}
