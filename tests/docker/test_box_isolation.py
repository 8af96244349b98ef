"""What a program in a box can do and reach, seen from inside."""

from pathlib import Path

import pytest

from sandboxes.spec import Limits, Mount
from tests.support.agents_image import agents_image
from tests.support.boxes import House, gateway, ran, shell, texts

pytestmark = pytest.mark.docker


async def test_a_box_has_no_privileges_and_cannot_get_any(house: House) -> None:
    sandbox = await house.open()
    status, _ = await ran(sandbox, "cat /proc/self/status")
    told = dict(line.split(":\t", 1) for line in status if ":\t" in line)
    fields = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")
    assert [int(told[field], 16) for field in fields] == [0, 0, 0, 0, 0, 1, 2]


async def test_a_program_is_not_root(house: House) -> None:
    sandbox = await house.open()
    assert (await ran(sandbox, "id -u"))[0] != ["0"]


async def test_a_script_aside_is_not_root(house: House) -> None:
    sandbox = await house.open()
    assert (await sandbox.aside("id -u")).stdout != b"0\n"


@pytest.mark.parametrize(
    "place", ["/", "/usr/bin", "/etc", "/var/tmp", "/swarm/launch", "/proc/sys/kernel"]
)
async def test_the_image_cannot_be_written(house: House, place: str) -> None:
    sandbox = await house.open()
    _, ended = await ran(sandbox, f"touch {place}/x")
    assert ended.code == 1


@pytest.mark.parametrize("place", ["/workspace", "/state", "/tmp", "$HOME"])
async def test_some_places_can_be_written(house: House, place: str) -> None:
    sandbox = await house.open()
    assert (await ran(sandbox, f"touch {place}/x && echo ok"))[0] == ["ok"]


async def test_a_box_does_not_see_what_is_the_sides(house: House) -> None:
    async with gateway() as answering:
        sandbox = await house.open(house.spec(sockets=answering.directory))
        await sandbox.aside("touch /q/of-the-side")
        written, _ = await ran(
            sandbox,
            "ls -A /q; touch /q/x && echo wrote; ls -d /run/swarm /var/run/docker.sock; true",
        )
    assert written == []


async def test_the_side_does_not_see_the_agents_state(house: House) -> None:
    sandbox = await house.open()
    assert (await sandbox.aside("ls /state")).code == 2


async def test_the_side_cannot_write_the_tree(house: House) -> None:
    sandbox = await house.open()
    assert "Read-only" in (await sandbox.aside("touch /workspace/x")).stderr


async def test_the_side_cannot_write_its_image(house: House) -> None:
    sandbox = await house.open()
    assert "Read-only" in (await sandbox.aside("touch /x")).stderr


async def test_a_mount_cannot_be_written(house: House, tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    shown.mkdir(mode=0o777)
    shown.chmod(0o777)
    sandbox = await house.open(house.spec(mounts=(Mount(shown, "/swarm/objects"),)))
    await ran(sandbox, "touch /swarm/objects/x")
    await sandbox.aside("touch /swarm/objects/y")
    assert list(shown.iterdir()) == []


@pytest.mark.parametrize("with_gateway", [True, False])
async def test_a_box_has_no_network_but_loopback(house: House, with_gateway: bool) -> None:
    async with gateway() as answering:
        sockets = answering.directory if with_gateway else None
        sandbox = await house.open(house.spec(sockets=sockets))
        written, _ = await ran(sandbox, "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '")
    assert written == ["lo"]


@pytest.mark.parametrize("address", ["172.17.0.1", "169.254.169.254", "192.0.2.1", "10.0.0.1"])
async def test_a_box_reaches_no_other_address(house: House, address: str) -> None:
    async with gateway() as answering:
        sandbox = await house.open(house.spec(sockets=answering.directory))
        reach = f"import socket; print(socket.socket().connect_ex(('{address}', 80)))"
        written, _ = await ran(sandbox, f'python3 -c "{reach}"')
    assert written == ["101"]  # the network is unreachable


async def test_a_box_cannot_look_names_up(house: House) -> None:
    async with gateway() as answering:
        sandbox = await house.open(house.spec(sockets=answering.directory))
        _, ended = await ran(
            sandbox, "python3 -c 'import socket; socket.gethostbyname(\"example.org\")'"
        )
    assert "gaierror" in ended.stderr


async def test_a_box_does_not_wait_long_for_name_servers(house: House) -> None:
    async with gateway() as answering:
        sandbox = await house.open(house.spec(sockets=answering.directory))
        written, _ = await ran(sandbox, "grep ^options /etc/resolv.conf")
    assert written == ["options timeout:1 attempts:1"]


async def test_a_hungry_program_ends_for_want_of_memory(house: House) -> None:
    sandbox = await house.open(house.spec(limits=Limits(memory=64 * 1024**2)))
    _, ended = await ran(sandbox, "exec python3 -c 'bytearray(10**9)'")
    assert (ended.code, ended.reason, ended.starved) == (137, "oom", True)


async def test_a_hungry_child_is_noticed_though_the_program_ends_well(house: House) -> None:
    sandbox = await house.open(house.spec(limits=Limits(memory=64 * 1024**2)))
    _, ended = await ran(sandbox, "python3 -c 'bytearray(10**9)'; true")
    assert (ended.code, ended.reason, ended.starved) == (0, "exited", True)


async def test_a_program_that_is_killed_did_not_starve(house: House) -> None:
    sandbox = await house.open()
    _, ended = await ran(sandbox, "kill -9 $$")
    assert (ended.code, ended.reason, ended.starved) == (137, "killed", False)


async def test_a_swarm_of_processes_is_stopped_by_the_limit(house: House) -> None:
    sandbox = await house.open(house.spec(limits=Limits(pids=40)))
    # bash would try again and again; python says at once that it cannot
    fork = "import os, time\nfor made in range(200):\n    if os.fork() == 0: time.sleep(60)"
    _, ended = await ran(sandbox, f"python3 -c '{fork}'")
    assert "Resource temporarily unavailable" in ended.stderr


async def test_a_file_grows_to_its_limit(house: House) -> None:
    sandbox = await house.open(house.spec(limits=Limits(file_size=1024**2)))
    written, _ = await ran(sandbox, "head -c 3000000 /dev/zero > big; stat -c %s big")
    assert written == [str(1024**2)]


async def test_a_flood_of_output_does_not_fill_the_disk(house: House) -> None:
    sandbox = await house.open(house.spec(limits=Limits(log=1024**2)))
    process = await sandbox.start(shell("seq 1000000"))
    await process.wait()
    kept = await texts(process)
    assert (kept[-1], sum(map(len, kept)) < 1024**2) == ("1000000", True)


async def test_more_cores_than_there_are_are_not_asked_for(house: House) -> None:
    sandbox = await house.open(house.spec(limits=Limits(cpus=10_000)))
    assert (await ran(sandbox, "echo ok"))[0] == ["ok"]


async def test_the_real_claude_code_runs_in_a_box(house: House) -> None:
    sandbox = await house.open(house.spec(image=agents_image()))
    written, ended = await ran(sandbox, "id -u; claude --version")
    assert (written[1:], ended.code) == (["2.1.329 (Claude Code)"], 0)
