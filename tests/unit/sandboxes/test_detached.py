"""Programs of the host that outlive their supervisor."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from sandboxes import detached, keep
from sandboxes.detached import Detached

ENV = {"PATH": os.environ["PATH"]}


async def started(directory: Path, script: str, *, interactive: bool = False) -> Detached:
    directory.parent.mkdir(exist_ok=True)
    return await detached.ensure(
        directory / "program", ["sh", "-c", script], env=ENV, cwd=directory, interactive=interactive
    )


def mark(directory: Path, name: str) -> int:
    return int(json.loads((directory / "program" / name).read_text())["pid"])


async def until_written(path: Path) -> None:
    while not path.exists():
        await asyncio.sleep(0.01)


async def test_a_program_is_lost_when_it_and_its_keeper_vanish(tmp_path: Path) -> None:
    program = await started(tmp_path, "sleep 600")
    await until_written(tmp_path / "program/pid")
    os.kill(mark(tmp_path, "claim"), signal.SIGKILL)
    os.killpg(mark(tmp_path, "pid"), signal.SIGKILL)
    ended = await program.wait()
    assert (ended.code, ended.reason) == (None, "lost")


async def test_a_program_whose_keeper_vanished_is_not_lost_while_it_runs(tmp_path: Path) -> None:
    program = await started(tmp_path, "sleep 600")
    await until_written(tmp_path / "program/pid")
    os.kill(mark(tmp_path, "claim"), signal.SIGKILL)
    assert program.ended() is None
    await program.stop(grace=5)
    assert (await program.wait()).reason == "lost"


async def test_a_program_of_an_earlier_boot_is_lost(tmp_path: Path) -> None:
    await started(tmp_path, "true")
    directory = tmp_path / "program"
    await Detached(directory).wait()
    (directory / "status").unlink()
    # This very process has that number now: only the boot tells that it is another one.
    keep.put(directory / "claim", {**keep.mark(os.getpid()), "boot": "an earlier one"})
    ended = Detached(directory).ended()
    assert ended is not None
    assert ended.reason == "lost"


async def test_a_number_used_again_is_not_taken_for_the_program(tmp_path: Path) -> None:
    await started(tmp_path, "true")
    directory = tmp_path / "program"
    await Detached(directory).wait()
    (directory / "status").unlink()
    keep.put(directory / "claim", {**keep.mark(os.getpid()), "start": "1"})
    ended = Detached(directory).ended()
    assert ended is not None
    assert ended.reason == "lost"


async def test_of_many_keepers_one_wins(tmp_path: Path) -> None:
    script = "echo ran; sleep 0.2"
    programs = await asyncio.gather(*(started(tmp_path, script) for _ in range(5)))
    await programs[0].wait()
    assert (tmp_path / "program/out").read_text() == "ran\n"


async def test_what_a_program_may_know_is_for_its_owner_only(tmp_path: Path) -> None:
    await (await started(tmp_path, "true")).wait()
    assert oct((tmp_path / "program").stat().st_mode & 0o777) == "0o700"


async def test_a_keeper_has_the_environment_of_its_program(tmp_path: Path) -> None:
    program = await started(tmp_path, "sleep 600")
    environment = Path(f"/proc/{mark(tmp_path, 'claim')}/environ").read_bytes()
    await program.stop(grace=5)
    assert environment.strip(b"\0") == f"PATH={ENV['PATH']}".encode()


async def test_a_program_that_may_not_be_run_ends_with_126(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("no program")
    program = await detached.ensure(tmp_path / "program", [str(plain)], env=ENV, cwd=tmp_path)
    assert (await program.wait()).code == 126


async def test_what_is_sent_before_the_keeper_has_opened_the_input_is_heard(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "stdin")
    keep.put(tmp_path / "claim", keep.mark(os.getpid()))
    sending = asyncio.create_task(Detached(tmp_path).send("hello"))
    await asyncio.sleep(detached.POLL)
    assert not sending.done()
    with keep.open_input(tmp_path) as heard:
        await sending
        assert heard.read(100) == b"hello\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a keeper inherit processes")
async def test_what_a_program_leaves_in_a_session_of_its_own_ends_with_it(tmp_path: Path) -> None:
    left = tmp_path / "left"
    script = f"setsid sh -c 'echo $$ >{left}.new; mv {left}.new {left}; exec sleep 600' & "
    program = await started(tmp_path, script + f"until [ -e {left} ]; do sleep 0.01; done")
    await program.wait()
    assert keep.identity(int(left.read_text())) == ""
