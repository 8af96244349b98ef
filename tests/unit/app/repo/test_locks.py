import asyncio
import sys
from pathlib import Path

import pytest

from app.domain.errors import RepoError
from app.repo.locks import held


async def test_one_holder_at_a_time(tmp_path: Path) -> None:
    seen: list[str] = []

    async def work(name: str) -> None:
        async with held(tmp_path, "work"):
            seen.append(f"{name} in")
            await asyncio.sleep(0.05)
            seen.append(f"{name} out")

    await asyncio.gather(work("a"), work("b"))
    assert seen in (["a in", "a out", "b in", "b out"], ["b in", "b out", "a in", "a out"])


async def test_other_purposes_do_not_wait(tmp_path: Path) -> None:
    async with held(tmp_path, "one"), held(tmp_path, "two", patience=0):
        pass


async def test_a_lock_that_is_not_let_go_of_is_told(tmp_path: Path) -> None:
    async with held(tmp_path, "work"):
        with pytest.raises(RepoError, match="another swarm process holds"):
            async with held(tmp_path, "work", patience=0.1):
                pass


async def test_a_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    script = (
        "import fcntl, os, sys, time\n"
        f"file = os.open('{tmp_path}/work.lock', os.O_RDWR | os.O_CREAT)\n"
        "fcntl.flock(file, fcntl.LOCK_EX); print('held', flush=True); time.sleep(60)\n"
    )
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout is not None
    await holder.stdout.readline()
    holder.kill()
    async with held(tmp_path, "work", patience=20):
        pass
    await holder.wait()
