"""Attacks on the container, the host and its resources: real each of them, and what a real box makes of it."""

import asyncio
import contextlib
import io
import platform
import tarfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from docker.utils import kwargs_from_env

import sandboxes
from sandboxes.base import Process
from sandboxes.spec import MAX_LINE, Limits, Program, SandboxSpec
from tests.support.attacks import attack
from tests.support.boxes import House, opened_house, ran, until
from tests.support.images import test_image
from tests.support.probes import SYSTEM_CALLS, WALLS
from tests.support.world import story

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]
on_x86 = platform.machine() == "x86_64"


@story
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One house for all attacks; every attack opens a box of its own in it."""
    async with opened_house("docker", tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="module")
def engine() -> Iterator[APIClient]:
    with contextlib.closing(APIClient(version="auto", **kwargs_from_env())) as api:
        yield api


def in_a_plain_container(engine: APIClient, script: str, *, user: str = "1000", **host: Any) -> str:
    """What a script prints in a container as anybody makes one, without a network."""
    config = engine.create_host_config(network_mode="none", **host)
    made = engine.create_container(
        test_image(), ["bash", "-c", script], user=user, host_config=config
    )
    try:
        engine.start(made["Id"])
        engine.wait(made["Id"])
        return str(engine.logs(made["Id"]).decode(errors="replace"))
    finally:
        engine.remove_container(made["Id"], force=True)


def tree_of(spec: SandboxSpec) -> list[str]:
    """The volume of a sandbox's tree, as a plain container would bind it."""
    return [f"swarm-{spec.name}-tree:/workspace"]


@attack("C01")
async def test_a_box_cannot_change_what_it_stands_on(house: House, engine: APIClient) -> None:
    script = f"python3 -c '{WALLS}'"
    lax = {"cap_add": ["SYS_ADMIN"], "security_opt": ["seccomp=unconfined"]}
    naive = in_a_plain_container(engine, script, user="0", **lax).splitlines()
    assert {"wrote /usr/bin", "mknod", "mount", "unshare"} <= set(naive)
    assert (await ran(await house.open(), script))[0] == ["end"]


@attack("C02")
async def test_a_setuid_program_gives_a_box_nothing(house: House, engine: APIClient) -> None:
    spec = house.spec()
    sandbox = await house.open(spec)
    plant = "cp /usr/bin/id /workspace/id && chmod 4755 /workspace/id"
    in_a_plain_container(engine, plant, user="0", binds=tree_of(spec))
    assert in_a_plain_container(engine, "/workspace/id -u", binds=tree_of(spec)) == "0\n"
    own, _ = await ran(sandbox, "id -u", name="own")
    assert (await ran(sandbox, "./id -u"))[0] == own != ["0"]


@attack("C03")
async def test_a_box_sees_neither_the_engine_nor_the_host(
    house: House, engine: APIClient, tmp_path: Path
) -> None:
    (tmp_path / "marker").touch()
    look = f"ls -d /var/run/docker.sock {tmp_path}/marker /var/lib/docker 2>/dev/null; true"
    shown = ["/var/run/docker.sock:/var/run/docker.sock", f"{tmp_path}:{tmp_path}"]
    assert len(in_a_plain_container(engine, look, user="0", binds=shown).splitlines()) == 2
    other = house.spec()
    await (await house.open(other)).prepare("echo secret > theirs")
    sandbox = await house.open()
    told, _ = await ran(sandbox, f"{look}; find / -name theirs 2>/dev/null; true")
    assert told == []


@attack("C04")
async def test_a_box_has_no_system_calls_past_its_walls(house: House, engine: APIClient) -> None:
    naive = in_a_plain_container(engine, f"python3 -c '{SYSTEM_CALLS}'", cap_drop=["ALL"])
    assert {"AF_VSOCK allowed", "io_uring allowed"} & set(naive.splitlines())
    told, ended = await ran(await house.open(), f"exec python3 -c '{SYSTEM_CALLS}'")
    refused = ["AF_VSOCK EAFNOSUPPORT", "AF_ALG EAFNOSUPPORT"]
    refused += ["io_uring ENOSYS", "bpf EPERM", "keyctl EPERM"]
    # A 32-bit call ends the program: 128 and the number of SIGSYS.
    foreign = (["x32 ENOSYS"], 159) if on_x86 else ([], 0)
    assert (told, ended.code) == (refused + foreign[0], foreign[1])


FORKS = """
import os, time
made = 0
try:
    for made in range(200):
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
    print("all")
except OSError:
    print("refused")
"""


BOMB = """
import os, time
while True:
    try:
        os.fork()
    except OSError:
        time.sleep(0.1)
"""


@attack("C05")
async def test_a_fork_bomb_stays_in_its_box(house: House, engine: APIClient) -> None:
    forks = f"exec python3 -c '{FORKS}'"
    assert in_a_plain_container(engine, forks).splitlines()[0] == "all"
    spec = house.spec(limits=Limits(pids=64))
    sandbox = await house.open(spec)
    assert (await ran(sandbox, forks, name="forks"))[0] == ["refused"]
    process = await sandbox.start(Program(name="bomb", argv=("python3", "-c", BOMB)))
    while processes(engine, f"swarm-{spec.name}-bomb") < 50:
        await asyncio.sleep(0.05)
    assert (await sandbox.aside("echo still here")).stdout == b"still here\n"
    assert processes(engine, f"swarm-{spec.name}-bomb") <= 64
    await sandbox.remove()
    assert (await process.wait()).code != 0


def processes(engine: APIClient, container: str) -> int:
    return int(engine.stats(container, stream=False, one_shot=True)["pids_stats"].get("current", 0))


HOG = "python3 -c 'print(len(bytearray(300_000_000)))'"


@attack("C06")
async def test_memory_that_runs_out_is_noticed_wherever_it_does(
    house: House, engine: APIClient
) -> None:
    assert in_a_plain_container(engine, HOG) == "300000000\n"
    sandbox = await house.open(house.spec(limits=Limits(memory=64 * 1024**2)))
    _, itself = await ran(sandbox, f"exec {HOG}", name="itself")
    _, child = await ran(sandbox, f"{HOG}; exit 0", name="child")
    beside = await sandbox.aside(HOG)
    assert (itself.code, itself.reason, itself.starved) == (137, "oom", True)
    assert (child.code, child.reason, child.starved) == (0, "exited", True)
    assert (beside.code, beside.starved) == (137, True)


async def test_a_script_that_only_fails_did_not_starve(house: House) -> None:
    assert not (await (await house.open()).aside("exit 137")).starved


FILL = """
import os
made = 0
try:
    for made in range(250_000):
        os.close(os.open(f"/tmp/{made}", os.O_CREAT))
except OSError as error:
    print(error.strerror)
print(made > 100_000)
"""


@attack("C07")
async def test_temporary_places_fill_up_inside_the_box_only(
    house: House, engine: APIClient
) -> None:
    fill = "head -c 200000000 /dev/zero > %s 2>/dev/null && echo filled || echo full"
    plain = in_a_plain_container(engine, fill % "/tmp/x")
    assert plain == "filled\n"
    sandbox = await house.open(house.spec(limits=Limits(memory=512 * 1024**2)))
    for number, place in enumerate(("/dev/shm", "$HOME")):
        assert (await ran(sandbox, fill % f"{place}/x", name=f"fill-{number}"))[0] == ["full"]
    told, _ = await ran(sandbox, f"exec python3 -c '{FILL}'", name="inodes")
    assert told == ["No space left on device", "True"]


@attack("C09")
async def test_a_flood_of_output_is_bounded_on_disk_and_in_memory(
    house: House, engine: APIClient
) -> None:
    flood = "seq 400000; head -c 3000000 /dev/urandom; echo; head -c 5000000 /dev/zero | tr '\\0' a; echo"
    assert len(in_a_plain_container(engine, flood)) > 8_000_000
    sandbox = await house.open(house.spec(limits=Limits(log=2 * 1024**2)))
    process = await sandbox.start(Program(name="turn-1", argv=("sh", "-c", flood)))
    await process.wait()
    kept = [len(line) async for line in _texts(process)]
    assert sum(kept) < 3 * 1024**2
    assert max(kept) <= MAX_LINE


async def _texts(process: Process) -> AsyncIterator[str]:
    async for line in process.lines():
        yield line.text


@attack("C10")
async def test_a_flood_of_a_trusted_script_is_cut(house: House, engine: APIClient) -> None:
    flood = "head -c 200000000 /dev/zero"
    spec = house.spec()
    sandbox = await house.open(spec)
    await sandbox.aside("true")
    made = engine.exec_create(f"swarm-{spec.name}-side", ["sh", "-c", "head -c 20000000 /dev/zero"])
    assert len(engine.exec_start(made["Id"])) == 20_000_000
    done = await sandbox.aside(flood, limit=1_000_000)
    assert (len(done.stdout), done.truncated) == (1_000_000, True)


@attack("C11")
async def test_nothing_is_copied_out_of_a_box(house: House, engine: APIClient) -> None:
    spec = house.spec()
    sandbox = await house.open(spec)
    await ran(sandbox, "ln -s /etc/shadow out; mkfifo pipe")
    packed, _ = engine.get_archive(f"swarm-{spec.name}-turn-1", "/workspace")
    with tarfile.open(fileobj=io.BytesIO(b"".join(packed))) as archive:
        assert {one.linkname for one in archive if one.issym()} == {"/etc/shadow"}
    top = Path(sandboxes.__file__).parents[1]
    sources = [*(top / "sandboxes").rglob("*.py"), *(top / "app").rglob("*.py")]
    assert [path.name for path in sources if "get_archive" in path.read_text()] == []


@attack("C12")
async def test_who_ignores_signals_or_detaches_itself_ends_all_the_same(
    house: House, engine: APIClient
) -> None:
    spec = house.spec()
    sandbox = await house.open(spec)
    loop = "while :; do sleep 1; done"
    deaf = f"trap '' TERM INT HUP; (setsid sh -c '{loop}' &); echo on; {loop}"
    process = await sandbox.start(Program(name="turn-1", argv=("sh", "-c", deaf)))
    await until(process, "on")
    engine.kill(f"swarm-{spec.name}-turn-1", "TERM")
    assert engine.inspect_container(f"swarm-{spec.name}-turn-1")["State"]["Running"]
    await process.stop(grace=1)
    assert (await process.wait()).reason == "killed"
    assert not engine.inspect_container(f"swarm-{spec.name}-turn-1")["State"]["Running"]


@attack("C13")
async def test_a_box_that_burns_every_core_gets_its_share_only(
    house: House, engine: APIClient
) -> None:
    burn = "for core in 1 2 3 4; do (while :; do :; done) & done; wait"
    spec = house.spec(limits=Limits(cpus=0.2))
    await (await house.open(spec)).start(Program(name="turn-1", argv=("sh", "-c", burn)))
    while throttled(engine, f"swarm-{spec.name}-turn-1") < 3:
        await asyncio.sleep(0.05)
    plain = engine.create_container(test_image(), ["sh", "-c", burn])["Id"]
    try:
        engine.start(plain)
        assert throttled(engine, plain) == 0
    finally:
        engine.remove_container(plain, force=True)
        await house.driver().remove(spec.name, house.owner)


def throttled(engine: APIClient, container: str) -> int:
    found = engine.stats(container, stream=False, one_shot=True)
    return int(found["cpu_stats"]["throttling_data"]["throttled_periods"])


@attack("C14")
async def test_an_image_is_never_built_from_what_an_agent_wrote(
    house: House, engine: APIClient
) -> None:
    evil = f"FROM {test_image()}\nRUN echo owned > /tmp/owned\n"
    spec = house.spec()
    sandbox = await house.open(spec)
    await ran(
        sandbox,
        f"printf '{evil}' > Dockerfile; mkdir .devcontainer; echo '{{}}' > .devcontainer/devcontainer.json",
    )
    told = list(
        engine.build(fileobj=io.BytesIO(evil.encode()), rm=True, tag="swarm-test-evil", decode=True)
    )
    assert "error" not in told[-1]
    engine.remove_image("swarm-test-evil")
    assert (await ran(sandbox, "ls /tmp/owned", name="turn-2"))[1].code != 0


@attack("C15")
async def test_what_an_agent_leaves_for_the_next_run_is_not_there(
    house: House, engine: APIClient
) -> None:
    leave = "mkdir -p $HOME/.claude && echo evil | tee $HOME/.claude/settings.json /tmp/cache /state/memory"
    look = "ls -A $HOME /tmp /state | grep -E 'claude|cache|memory'; true"
    shared = [f"swarm-{(spec := house.spec()).name}-tree:/home/agent"]
    sandbox = await house.open(spec)
    in_a_plain_container(engine, "mkdir /home/agent/.claude", binds=shared)
    assert ".claude" in in_a_plain_container(engine, "ls -A /home/agent", binds=shared)
    await ran(sandbox, leave)
    assert (await ran(sandbox, look, name="turn-2"))[0] == ["memory"]
    assert (await ran(await house.open(), look))[0] == []


@attack("C16")
async def test_what_is_not_ours_by_its_label_is_never_swept(
    house: House, engine: APIClient
) -> None:
    spec = house.spec()
    sandbox = await house.open(spec)
    process = await sandbox.start(Program(name="turn-1", argv=("sleep", "600")))
    foreign = f"swarm-{spec.name}-theirs"
    engine.create_container(test_image(), ["true"], name=foreign)
    try:
        # By its name it would go.
        assert foreign in [
            one["Names"][0][1:]
            for one in engine.containers(all=True, filters={"name": f"swarm-{spec.name}"})
        ]
        after_a_crash = house.driver()
        left = await after_a_crash.holdings(house.owner)
        assert foreign not in [one.name for one in left]
        await after_a_crash.remove(spec.name, house.owner)
        assert (await process.wait()).code != 0
        assert [
            one for one in await after_a_crash.holdings(house.owner) if one.sandbox == spec.name
        ] == []
        assert engine.inspect_container(foreign)["Name"] == f"/{foreign}"
    finally:
        engine.remove_container(foreign, force=True)
