"""What is said of engines this machine does not have: old ones, open ones, walled ones."""

import pytest

from sandboxes import docker_survey as survey
from sandboxes.docker_parts import usage
from sandboxes.errors import SandboxFailed
from sandboxes.spec import Usage
from tests.support.attacks import attack

OLD = {
    "Version": "20.10.24+dfsg1",
    "ApiVersion": "1.41",
    "Components": [{"Name": "runc", "Version": "1.1.5+ds1"}],
}
INFO = {
    "OperatingSystem": "Debian",
    "SecurityOptions": ["name=seccomp,profile=default", "name=apparmor", "name=rootless"],
    "Runtimes": {"runc": {}, "runsc": {}},
    "DefaultRuntime": "runc",
    "Driver": "overlay2",
    "DriverStatus": [["Backing Filesystem", "extfs"]],
    "CgroupVersion": "2",
    "MemoryLimit": True,
    "PidsLimit": True,
    "CpuCfsQuota": True,
}


@pytest.mark.parametrize(
    ("version", "open_"),
    [
        ("20.10.24+dfsg1", True),
        ("23.0.10", True),
        ("23.0.11", False),
        ("24.0.9", True),
        ("25.0.4", True),
        ("25.0.5", False),
        ("26.0.0", False),
        ("28.2.2", False),
        ("dev", False),
    ],
)
def test_a_hole_is_open_below_the_repair_of_its_own_line(version: str, open_: bool) -> None:
    hole = survey.ENGINE_HOLES[0]
    assert survey.is_open(survey.numbers(version), hole.mended) == open_


@attack("C17")
def test_an_old_engine_is_told_with_the_names_of_its_holes_and_what_to_do() -> None:
    facts = {fact.name: fact for fact in survey.facts(INFO, OLD)}
    engine, runc = facts["docker holes"], facts["runc holes"]
    assert (engine.ok, engine.needed, "CVE-2024-41110" in engine.found) == (False, False, True)
    assert (runc.ok, "CVE-2024-21626" in runc.found) == (False, True)
    assert "Update Docker" in engine.fix


@pytest.mark.parametrize(
    ("option", "found"),
    [
        ("name=seccomp,profile=unconfined", "the engine filters no system calls"),
        ("name=apparmor", "the engine filters no system calls"),
    ],
)
def test_an_engine_without_a_filter_is_told(option: str, found: str) -> None:
    facts = {fact.name: fact for fact in survey.facts(INFO | {"SecurityOptions": [option]}, OLD)}
    assert (facts["seccomp"].ok, facts["seccomp"].found) == (False, found)


def test_a_walled_engine_is_told_as_it_is() -> None:
    facts = {fact.name: fact for fact in survey.facts(INFO, OLD)}
    found = [facts[name].found for name in ("mandatory access", "runtimes", "limits and storage")]
    assert found == ["apparmor", "runc, runsc (default runc)", "overlay2 on extfs, cgroup v2"]
    assert facts["user namespaces"].found.startswith("rootless")


def test_an_engine_with_one_wall_only_is_told_how_to_get_another() -> None:
    bare = INFO | {"SecurityOptions": ["name=seccomp,profile=default"], "Runtimes": {"runc": {}}}
    facts = {fact.name: fact for fact in survey.facts(bare, OLD)}
    told = [facts[name] for name in ("user namespaces", "gVisor")]
    assert [(fact.ok, fact.needed) for fact in told] == [(False, False), (False, False)]
    assert ["rootless" in told[0].fix, "runsc" in told[1].fix] == [True, True]


def test_limits_that_cannot_be_held_are_told() -> None:
    facts = {fact.name: fact for fact in survey.facts(INFO | {"PidsLimit": False}, OLD)}
    assert not facts["limits and storage"].ok


def test_an_engine_too_old_for_the_driver_is_needed_newer() -> None:
    first = survey.facts(INFO, OLD | {"ApiVersion": "1.38"})[0]
    assert (first.ok, first.needed, "1.41 is needed" in first.fix) == (False, True, True)


def test_what_the_side_measured_is_added_up() -> None:
    measured = "100 4096 50 200\n8\t/workspace\n4\t/q\ncounted\n"
    assert usage(measured) == Usage(used=12 * 1024, free=409600, inodes=0.25)


def test_files_that_could_not_be_counted_in_time_are_not_guessed() -> None:
    assert usage("100 4096 0 0\n8\t/workspace\n") == Usage(used=None, free=409600, inodes=1.0)


def test_a_side_that_measures_nothing_is_told() -> None:
    with pytest.raises(SandboxFailed, match="cannot measure"):
        usage("sh: stat: not found\n")
