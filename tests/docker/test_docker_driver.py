"""The Docker driver's dealings with the engine: what is missing, what is left over, what vanished."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import pytest
from docker import APIClient

from sandboxes import docker_parts, docker_scripts, registry
from sandboxes.docker_parts import OWNER
from sandboxes.errors import EngineAway, SandboxFailed, SandboxUnavailable
from sandboxes.spec import Mount
from tests.support.boxes import House, ask, gateway, ran, shell, texts
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.docker

ASK = """
import asyncio, os, sys
from pathlib import Path
from sandboxes import registry
from sandboxes.errors import SandboxUnavailable

async def main():
    driver = registry.load("docker", Path("unused"))
    # Root may use every socket, so the one who asks must not be root.
    if os.getuid() == 0:
        os.setuid(65534)
    try:
        await driver.check()
    except SandboxUnavailable as error:
        print(error, error.hint, sep="\\n")

asyncio.run(main())
"""

MUTE = r"""it=$(command -v python3) && rm "$it" && printf '#!/bin/sh\nsleep 600\n' >"$it" && chmod 755 "$it" """
"""Makes an image's Python a program that waits."""


async def test_without_an_engine_the_way_out_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    driver = registry.load("docker", tmp_path)
    with pytest.raises(SandboxUnavailable, match="not running") as caught:
        await driver.check()
    await driver.close()
    assert "start Docker" in caught.value.hint


async def test_a_dead_engine_is_told_like_one_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await asyncio.start_unix_server(lambda *_: None, tmp_path / "dead.sock")
    server.close()
    await server.wait_closed()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/dead.sock")
    driver = registry.load("docker", tmp_path)
    with pytest.raises(SandboxUnavailable, match="not running"):
        await driver.check()
    await driver.close()


async def test_without_permission_the_group_is_named(tmp_path: Path) -> None:
    server = await asyncio.start_unix_server(lambda *_: None, tmp_path / "s.sock")
    (tmp_path / "s.sock").chmod(0)
    asking = await asyncio.create_subprocess_exec(
        *[sys.executable, "-c", ASK],
        env={**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/s.sock"},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await asking.communicate()
    server.close()
    await server.wait_closed()
    assert b"usermod -aG docker" in said


async def test_an_image_that_is_not_there_is_to_be_built(house: House) -> None:
    with pytest.raises(SandboxUnavailable, match="no such image") as caught:
        await house.open(house.spec(image="swarm-nothing:none"))
    assert "swarm image build" in caught.value.hint


async def test_a_runtime_that_is_not_there_is_named(house: House) -> None:
    with pytest.raises(SandboxUnavailable, match="nothing-of-the-kind"):
        await house.open(house.spec(runtime="nothing-of-the-kind"))


async def test_an_image_without_python_cannot_be_a_side(house: House, engine: APIClient) -> None:
    made = engine.create_container(house.image, ["true"])["Id"]
    bare = f"swarm-test-bare:{house.owner}"
    try:
        packed = b"".join(engine.get_archive(made, "/etc/passwd")[0])
        engine.import_image_from_data(packed, *bare.split(":"))
        async with gateway() as answering:
            sandbox = await house.open(house.spec(image=bare, sockets=answering.directory))
            with pytest.raises(SandboxUnavailable, match="ended at once") as caught:
                await sandbox.aside("true")
    finally:
        engine.remove_container(made)
        await house.clean()
        engine.remove_image(bare)
    assert "python3" in caught.value.hint


async def test_a_side_that_is_ended_amid_its_start_is_not_the_images_fault(
    house: House, engine: APIClient
) -> None:
    # One that never says that it is ready: there is time to end it.
    made = engine.create_container(house.image, ["sh", "-c", MUTE], user="0")
    engine.start(made)
    assert engine.wait(made)["StatusCode"] == 0
    name, tag = "swarm-test-mute", house.owner
    engine.commit(made["Id"], name, tag)
    engine.remove_container(made)
    try:
        async with gateway() as answering:
            spec = house.spec(image=f"{name}:{tag}", sockets=answering.directory)
            asked = asyncio.create_task((await house.open(spec)).aside("true"))
            side = docker_parts.container_name(spec.name, "side")
            async with asyncio.timeout(PATIENCE):
                while not engine.containers(filters={"name": side}):
                    await asyncio.sleep(0.05)
            engine.kill(side)
            with pytest.raises(EngineAway, match="cut off amid its start"):
                await asked
    finally:
        await house.clean()
        engine.remove_image(f"{name}:{tag}")


async def test_volumes_belong_to_the_agent_in_an_image_without_rooms_for_them(
    house: House, engine: APIClient
) -> None:
    name, tag = "swarm-test-plain", house.owner
    plain = f"{name}:{tag}"
    made = engine.create_container(house.image, ["true"])["Id"]
    engine.commit(made, name, tag, changes=["LABEL swarm.rooms="])
    engine.remove_container(made)
    try:
        sandbox = await house.open(house.spec(image=plain))
        written, _ = await ran(sandbox, "touch /workspace/x /state/x && echo written")
        beside = await sandbox.aside("touch /q/x && echo written")
        assert (written, beside.stdout) == (["written"], b"written\n")
    finally:
        await house.clean()
        engine.remove_image(plain)


async def test_a_sandbox_of_another_installation_is_left_alone(house: House) -> None:
    spec = house.spec()
    await house.open(spec)
    other = house.spec(name=spec.name, owner="another")
    with pytest.raises(SandboxFailed, match="another swarm installation"):
        await house.driver().open(other)


async def test_everything_carries_the_owners_label(house: House, engine: APIClient) -> None:
    spec = house.spec()
    await ran(await house.open(spec), "true")
    mine = {"label": f"{OWNER}={house.owner}"}
    names = [one["Names"][0] for one in engine.containers(all=True, filters=mine)]
    volumes = [one["Name"] for one in engine.volumes(filters=mine)["Volumes"]]
    start = f"swarm-{spec.name}-"
    assert (sorted(names), sorted(volumes)) == (
        [f"/{start}side", f"/{start}turn-1"],
        [f"{start}launch", f"{start}scratch", f"{start}state", f"{start}tree"],
    )


async def test_a_side_of_an_older_spec_is_replaced(house: House, tmp_path: Path) -> None:
    spec = house.spec()
    await (await house.open(spec)).prepare("echo kept > file")
    mounts = (Mount(tmp_path, "/swarm/objects"),)
    newer = await house.open(house.spec(name=spec.name, mounts=mounts))
    assert (await newer.aside("ls -d /swarm/objects; cat /workspace/file")).stdout == (
        b"/swarm/objects\nkept\n"
    )


async def test_the_way_to_the_gateway_is_opened_again_after_the_host_was_down(
    house: House, engine: APIClient
) -> None:
    async with gateway() as answering:
        spec = house.spec(sockets=answering.directory)
        await house.open(spec)
        engine.stop(f"swarm-{spec.name}-side", timeout=0)
        sandbox = await house.open(spec)
        assert (await ran(sandbox, ask(sandbox.places.gateway)))[0] == ["hello"]


async def test_a_side_that_is_ready_before_the_engine_notes_its_start_is_heard(
    house: House, engine: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a busy machine: the word is there before the time of the start is.
    quick = ["sh", "-c", "echo ready; exec sleep 600"]
    monkeypatch.setattr(docker_parts, "_forwarder", lambda: quick)
    async with gateway() as answering:
        spec = house.spec(sockets=answering.directory)
        sandbox = await house.open(spec)
        for _ in range(5):
            async with asyncio.timeout(PATIENCE):
                assert (await sandbox.aside("echo done")).stdout == b"done\n"
            engine.stop(f"swarm-{spec.name}-side", timeout=0)


async def test_a_program_that_its_side_has_left_is_ended_as_lost_once_the_side_is_back(
    house: House, engine: APIClient
) -> None:
    async with gateway() as answering:
        spec = house.spec(sockets=answering.directory)
        sandbox = await house.open(spec)
        process = await sandbox.start(shell("sleep 600"))
        engine.kill(f"swarm-{spec.name}-side")
        await sandbox.usage()
        assert (await process.wait()).reason == "lost"
        assert (await ran(sandbox, ask(sandbox.places.gateway), name="turn-2"))[0] == ["hello"]


async def test_a_program_that_ends_without_its_side_is_lost_whatever_it_says(
    house: House, engine: APIClient
) -> None:
    async with gateway() as answering:
        spec = house.spec(sockets=answering.directory)
        process = await (await house.open(spec)).start(shell("read line; exit 3", interactive=True))
        engine.kill(f"swarm-{spec.name}-side")
        await process.send("end")
        ended = await process.wait()
        assert (ended.code, ended.reason) == (3, "lost")


async def test_a_program_whose_container_is_gone_is_lost(house: House, engine: APIClient) -> None:
    spec = house.spec()
    process = await (await house.open(spec)).start(shell("sleep 600"))
    waiting = asyncio.ensure_future(process.wait())
    engine.remove_container(f"swarm-{spec.name}-turn-1", force=True)
    await waiting
    assert ((await process.wait()).reason, await texts(process)) == ("lost", [])


async def test_a_box_whose_supervisor_died_before_it_started_is_started(
    house: House, engine: APIClient
) -> None:
    spec = house.spec()
    sandbox = await house.open(spec)
    made = await sandbox.start(shell("echo ran"))
    await made.wait()
    name = f"swarm-{spec.name}-turn-1"
    found = engine.inspect_container(name)
    engine.remove_container(name)
    config = {**found["Config"], "HostConfig": found["HostConfig"]}
    engine.create_container_from_config(config, name)  # type: ignore[no-untyped-call]
    assert await sandbox.find("turn-1") is None
    assert (await ran(sandbox, "not looked at"))[0] == ["ran"]


def running_scripts(engine: APIClient, side: str) -> list[str]:
    known = engine.inspect_container(side)["ExecIDs"] or []
    return [script for script in known if engine.exec_inspect(script)["Running"]]


async def test_a_script_that_was_never_started_holds_nothing_up(
    house: House, engine: APIClient
) -> None:
    spec = house.spec()
    sandbox = await house.open(spec)
    await sandbox.aside("true")
    engine.exec_create(f"swarm-{spec.name}-side", ["true"])
    assert (await sandbox.aside("echo done", timeout=20)).stdout == b"done\n"


async def test_a_script_aside_waits_for_one_that_a_dead_supervisor_left(
    house: House, engine: APIClient
) -> None:
    spec = house.spec()
    before = await house.open(spec)
    left = asyncio.ensure_future(before.aside("sleep 1; echo first >> order", timeout=20))
    while not running_scripts(engine, f"swarm-{spec.name}-side"):
        await asyncio.sleep(0.02)
    left.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await left
    after = await house.open(spec)
    assert (await after.aside("echo second >> order; cat order")).stdout == b"first\nsecond\n"


async def test_a_preparing_script_left_by_a_dead_supervisor_is_ended(
    house: House, engine: APIClient
) -> None:
    spec = house.spec()
    sandbox = await house.open(spec)
    name = f"swarm-{spec.name}-prepare"
    side = engine.inspect_container(f"swarm-{spec.name}-side")
    left = {**side["Config"], "HostConfig": side["HostConfig"]}
    engine.create_container_from_config(left, name)  # type: ignore[no-untyped-call]
    engine.start(name)
    assert (await sandbox.prepare("echo new")).stdout == b"new\n"


async def test_a_script_that_was_quicker_than_its_attachment_has_ended_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = house.spec()
    sandbox = await house.open(spec)
    attach = APIClient.attach_socket

    def late(api: APIClient, _name: str, params: dict[str, int]) -> object:
        # As it is for who comes too late: to what does not run one may be attached, and hears nothing for ever.
        return attach(api, f"swarm-{spec.name}-side", params=params)

    monkeypatch.setattr(APIClient, "attach_socket", late)
    monkeypatch.setattr(docker_scripts, "_GRACE", 0.5)
    assert (await sandbox.prepare("exit 3", timeout=30)).code == 3
