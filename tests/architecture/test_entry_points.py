"""What is registered can be loaded, and the packages that answer are ours."""

from importlib.metadata import entry_points
from pathlib import Path

import pytest

import app
import harnesses
import policies
import sandboxes

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("group", ["swarm.harnesses", "swarm.sandboxes"])
def test_every_registered_driver_can_be_loaded(group: str) -> None:
    drivers = [point.load() for point in entry_points(group=group)]
    assert len(drivers) >= 2


@pytest.mark.parametrize("package", [app, harnesses, sandboxes, policies])
def test_a_package_of_that_name_is_ours(package: object) -> None:
    assert Path(package.__file__).is_relative_to(ROOT)  # type: ignore[attr-defined]


@pytest.mark.parametrize("package", ["app", "harnesses", "sandboxes", "policies"])
def test_a_package_ships_its_types(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
