"""What a program behind namespaces can do and reach, seen from inside; and what is said where there are none."""

import platform
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandboxes import registry
from sandboxes.errors import SandboxUnavailable
from sandboxes.spec import Limits
from tests.support.boxes import House, gateway, opened_house, ran
from tests.support.probes import SYSTEM_CALLS, WALLS


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened_house("bwrap", tmp_path) as house:
        yield house


async def test_it_cannot_change_what_it_stands_on(house: House) -> None:
    told, _ = await ran(await house.open(), f"python3 -c '{WALLS}'")
    # What is there of the kernel's memory is an empty file.
    assert set(told) <= {"kcore", "end"}
    assert (await ran(await house.open(), "head -c 1 /proc/kcore"))[0] == []


async def test_it_has_no_privileges_and_cannot_get_any(house: House) -> None:
    told, _ = await ran(await house.open(), "cat /proc/self/status")
    fields = dict(line.split(":\t", 1) for line in told if ":\t" in line)
    assert (int(fields["CapEff"], 16), fields["NoNewPrivs"], fields["Seccomp"]) == (0, "1", "2")


async def test_it_has_no_system_calls_past_its_walls(house: House) -> None:
    told, ended = await ran(await house.open(), f"exec python3 -c '{SYSTEM_CALLS}'")
    assert told[:3] == ["AF_VSOCK EAFNOSUPPORT", "AF_ALG EAFNOSUPPORT", "io_uring ENOSYS"]
    assert ended.code == (159 if platform.machine() == "x86_64" else 0)


async def test_it_is_not_root(house: House) -> None:
    assert (await ran(await house.open(), "id -u"))[0] == ["1000"]


async def test_it_sees_nothing_of_the_users(house: House, tmp_path: Path) -> None:
    (tmp_path / "marker").touch()
    look = f"ls -d {tmp_path} /var/run/docker.sock {Path.home()}/.cache /var /etc/shadow 2>/dev/null; true"
    assert (await ran(await house.open(), look))[0] == []


async def test_it_sees_no_process_of_the_host(house: House) -> None:
    told, _ = await ran(await house.open(), "ls /proc | grep -c '^[0-9]'")
    assert int(told[0]) < 10


@pytest.mark.parametrize("with_gateway", [True, False])
async def test_it_has_no_network_but_loopback(house: House, with_gateway: bool) -> None:
    async with gateway() as answering:
        spec = house.spec(sockets=answering.directory if with_gateway else None)
        script = "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"
        assert (await ran(await house.open(spec), script))[0] == ["lo"]


async def test_the_sockets_directory_cannot_be_written(house: House) -> None:
    async with gateway() as answering:
        sandbox = await house.open(house.spec(sockets=answering.directory))
        _, ended = await ran(sandbox, "rm /run/swarm/gateway.sock || touch /run/swarm/x")
        assert ended.code == 1
        assert [one.name for one in answering.directory.iterdir()] == ["gateway.sock"]


async def test_a_script_aside_cannot_write_the_tree_nor_see_the_state(house: House) -> None:
    sandbox = await house.open()
    assert (await sandbox.aside("touch /workspace/x")).code == 1
    assert (await sandbox.aside("ls /state")).code == 2


async def test_what_detaches_itself_ends_with_it(house: House) -> None:
    sandbox = await house.open()
    await ran(
        sandbox, "setsid sh -c 'while :; do echo x >> alive; sleep 0.05; done' >/dev/null 2>&1 &"
    )
    seen = "wc -c < alive || echo 0"
    first, _ = await ran(sandbox, f"{seen}; sleep 0.5", name="look-1")
    assert (await ran(sandbox, seen, name="look-2"))[0] == first


async def test_a_file_grows_to_its_limit(house: House) -> None:
    sandbox = await house.open(house.spec(limits=Limits(file_size=1024**2)))
    written, _ = await ran(sandbox, "head -c 3000000 /dev/zero > big; stat -c %s big")
    assert written == [str(1024**2)]


async def test_without_the_program_the_way_out_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="there is no program `bwrap`") as caught:
        await registry.load("bwrap", tmp_path).check()
    assert "Install the package `bubblewrap`" in caught.value.hint


async def test_where_users_may_make_no_namespaces_the_way_out_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = tmp_path / "bwrap"
    refusing.write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"
    )
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(SandboxUnavailable, match="No permissions to create new namespace"):
        await registry.load("bwrap", tmp_path).check()


async def test_a_container_runtime_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="no container runtimes, and 'runsc'") as caught:
        await registry.load("bwrap", tmp_path).check("runsc")
    assert "docker" in caught.value.hint
