import asyncio
import os
import time
from pathlib import Path

import pytest

from app.repo.process import MIB, ORDINARY, Bounds, finish

ENV = {"PATH": os.environ["PATH"]}


async def test_it_gives_back_what_a_program_said_and_how_it_ended() -> None:
    done = await finish(["sh", "-c", "cat; echo oops >&2; exit 3"], ORDINARY, env=ENV, stdin=b"in")
    assert (done.code, done.stdout, done.stderr) == (3, b"in", "oops")


async def test_input_larger_than_a_pipe_is_passed_whole() -> None:
    done = await finish(["wc", "-c"], ORDINARY, env=ENV, stdin=b"x" * (3 * MIB))
    assert done.stdout.strip() == str(3 * MIB).encode()


async def test_a_program_that_does_not_read_its_input_is_no_error() -> None:
    done = await finish(["true"], ORDINARY, env=ENV, stdin=b"x" * (3 * MIB))
    assert done.code == 0


async def test_a_program_over_its_time_is_ended() -> None:
    done = await finish(["sleep", "60"], Bounds(seconds=0.2), env=ENV)
    assert done.timed_out


async def test_a_program_that_ignores_polite_signals_is_ended_all_the_same() -> None:
    stubborn = ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"]
    done = await finish(stubborn, Bounds(seconds=0.2), env=ENV)
    assert done.timed_out


async def test_the_children_of_a_program_end_with_it(tmp_path: Path) -> None:
    script = f"sleep 60 & echo $! > {tmp_path}/pid; wait"
    await finish(["sh", "-c", script], Bounds(seconds=0.3), env=ENV)
    pid = int((tmp_path / "pid").read_text())
    assert await _gone(pid)


async def test_a_program_that_says_too_much_is_ended() -> None:
    done = await finish(["yes"], Bounds(output=MIB), env=ENV)
    assert done.truncated
    assert len(done.stdout) <= MIB


async def test_a_program_cannot_write_a_file_beyond_its_ceiling(tmp_path: Path) -> None:
    script = f"head -c 3000000 /dev/zero > {tmp_path}/big"
    done = await finish(["sh", "-c", script], Bounds(file_size=MIB), env=ENV)
    assert done.code != 0
    assert (tmp_path / "big").stat().st_size <= MIB


async def test_a_program_cannot_take_memory_beyond_its_ceiling() -> None:
    greedy = ["python3", "-c", "bytearray(512 * 1024**2)"]
    done = await finish(greedy, Bounds(memory=256 * MIB), env=ENV)
    assert done.code != 0


async def test_a_program_without_a_file_ends_with_code_127() -> None:
    done = await finish(["no-such-program-anywhere"], ORDINARY, env=ENV)
    assert done.code == 127


async def test_a_cancelled_caller_leaves_no_program_behind(tmp_path: Path) -> None:
    script = f"echo $$ > {tmp_path}/pid; exec sleep 60"
    task = asyncio.create_task(finish(["sh", "-c", script], ORDINARY, env=ENV))
    pid = await _pid(tmp_path / "pid")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _gone(pid)


async def test_work_worse_half_done_may_finish_when_its_caller_is_cancelled(tmp_path: Path) -> None:
    script = f"echo $$ > {tmp_path}/pid; sleep 0.5; touch {tmp_path}/finished"
    task = asyncio.create_task(finish(["sh", "-c", script], Bounds(grace=20.0), env=ENV))
    await _pid(tmp_path / "pid")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (tmp_path / "finished").exists()


async def _pid(file: Path) -> int:
    while not file.exists() or not file.read_text().strip():
        await asyncio.sleep(0.01)
    return int(file.read_text())


async def _gone(pid: int) -> bool:
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        await asyncio.sleep(0.05)
    return False
