"""What containers are asked for, before there is an engine."""

import io
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from sandboxes import docker_parts as parts
from sandboxes.errors import SandboxFailed
from sandboxes.names import check_file, check_name, check_program
from sandboxes.spec import Limits, Mount, Program, SandboxSpec

SPEC = SandboxSpec(
    name="r1",
    owner="me",
    image="image",
    mounts=(Mount(Path("/repo/objects"), "/swarm/objects"),),
    sockets=Path("/run/user/sockets"),
)
PROGRAM = Program(name="turn-1", argv=("agent", "-p"), files={"a.json": b"{}"})


def mounts(config: dict[str, Any]) -> dict[str, bool]:
    """Target to whether it may be written."""
    return {one["Target"]: not one["ReadOnly"] for one in config["HostConfig"]["Mounts"]}


def every_container() -> list[dict[str, Any]]:
    return [
        parts.box(SPEC, PROGRAM, 2),
        parts.side(SPEC, 2),
        parts.preparation(SPEC, "true", {}, 2),
    ]


def test_a_box_writes_tree_and_state_only() -> None:
    assert mounts(parts.box(SPEC, PROGRAM, 2)) == {
        "/workspace": True,
        "/state": True,
        "/swarm/launch": False,
        "/swarm/objects": False,
    }


def test_a_side_writes_scratch_and_launch_only() -> None:
    assert mounts(parts.side(SPEC, 2)) == {
        "/workspace": False,
        "/swarm/launch": True,
        "/q": True,
        "/swarm/measured": False,
        "/swarm/objects": False,
        "/run/swarm": False,
    }


def test_preparing_writes_the_tree_only() -> None:
    prepared = mounts(parts.preparation(SPEC, "true", {}, 2))
    assert prepared == {"/workspace": True, "/swarm/objects": False}


def test_preparing_writes_the_scratch_only_when_asked() -> None:
    prepared = mounts(parts.preparation(SPEC, "true", {}, 2, scratch=True))
    assert prepared == {"/workspace": True, "/q": True, "/swarm/objects": False}


def test_only_the_side_fills_volumes_from_the_image() -> None:
    filled = parts.side(SPEC, 2, fill=True)["HostConfig"]["Mounts"]
    volumes = [one for one in filled if one["Type"] == "volume"]
    assert {one["VolumeOptions"]["NoCopy"] for one in volumes} == {False}


@pytest.mark.parametrize("config", every_container())
def test_every_container_is_hardened(config: dict[str, Any]) -> None:
    host = config["HostConfig"]
    asked = (
        host["CapDrop"],
        host["SecurityOpt"],
        host["ReadonlyRootfs"],
        host["IpcMode"],
        host["Init"],
    )
    assert asked == (["ALL"], ["no-new-privileges"], True, "private", True)


@pytest.mark.parametrize("config", every_container())
def test_every_container_has_ceilings(config: dict[str, Any]) -> None:
    host = config["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == Limits().memory
    assert host["PidsLimit"] == Limits().pids


@pytest.mark.parametrize("config", every_container())
def test_every_container_carries_the_owners_label(config: dict[str, Any]) -> None:
    assert config["Labels"] | {"swarm.owner": "me", "swarm.sandbox": "r1"} == config["Labels"]


def test_a_box_with_a_gateway_lives_in_the_sides_network() -> None:
    assert parts.box(SPEC, PROGRAM, 2)["HostConfig"]["NetworkMode"] == "container:swarm-r1-side"


def test_a_box_without_a_gateway_has_no_network() -> None:
    spec = SandboxSpec(name="r1", owner="me", image="image")
    assert parts.box(spec, PROGRAM, 2)["HostConfig"]["NetworkMode"] == "none"


def test_standard_input_outlives_the_supervisor() -> None:
    program = Program(name="turn-1", argv=("agent",), interactive=True)
    config = parts.box(SPEC, program, 2)
    assert (config["OpenStdin"], config["StdinOnce"], config["AttachStdin"]) == (True, False, False)


def test_no_more_cores_are_asked_for_than_there_are() -> None:
    assert parts.box(SPEC, PROGRAM, 1)["HostConfig"]["NanoCpus"] == 10**9


def test_output_kept_by_the_engine_is_bounded() -> None:
    log = parts.box(SPEC, PROGRAM, 2)["HostConfig"]["LogConfig"]["Config"]
    assert int(log["max-size"]) * int(log["max-file"]) == Limits().log


def test_agents_are_never_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert parts.agent_user() == "1000:1000"


def test_agents_have_the_users_number_so_that_they_can_read_the_users_objects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 501)
    monkeypatch.setattr(os, "getgid", lambda: 20)
    assert parts.agent_user() == "501:20"


def test_a_spec_has_one_digest() -> None:
    same = SandboxSpec(**{name: getattr(SPEC, name) for name in SPEC.__struct_fields__})
    assert parts.digest(same) == parts.digest(SPEC)


def test_another_spec_has_another_digest() -> None:
    other = SandboxSpec(name="r1", owner="me", image="other")
    assert parts.digest(other) != parts.digest(SPEC)


def test_files_are_packed_below_the_programs_name() -> None:
    with tarfile.open(fileobj=io.BytesIO(parts.files(PROGRAM))) as archive:
        assert archive.getnames() == ["turn-1", "turn-1/a.json"]


@pytest.mark.parametrize("name", ["", ".", "..", "/etc/passwd", "a/../../b", "a\0b"])
def test_a_file_cannot_be_named_out_of_its_directory(name: str) -> None:
    with pytest.raises(SandboxFailed, match="cannot name a file"):
        check_file(name)


@pytest.mark.parametrize("name", ["", "-a", "A", "a/b", "a..b", "a b", "ä", "a" * 101, "a\n"])
def test_a_sandbox_cannot_be_named_so(name: str) -> None:
    with pytest.raises(SandboxFailed, match="cannot name a sandbox"):
        check_name(name, "sandbox")


@pytest.mark.parametrize("name", ["side", "prepare", "lay"])
def test_parts_of_a_sandbox_are_no_programs(name: str) -> None:
    with pytest.raises(SandboxFailed, match="part of the sandbox"):
        check_program(name)
