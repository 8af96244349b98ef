"""What a process takes of the machine."""

import asyncio
import os
import time
from pathlib import Path


def memory(pid: int) -> float:
    """Proportional set size in MiB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(
        int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("Pss:")
    )


async def cpu(pid: int, seconds: float) -> float:
    """Per cent of one core over that time."""
    before, began = worked(pid), time.monotonic()
    await asyncio.sleep(seconds)
    return 100 * (worked(pid) - before) / (time.monotonic() - began)


def worked(pid: int) -> float:
    """Seconds for which a process has worked so far. Raises `FileNotFoundError` when it is gone."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy() -> float:
    """Seconds for which the cores of this machine have worked so far, added up."""
    user, nice, system, _idle, _wait, *more = Path("/proc/stat").read_text().split()[1:9]
    ticks = sum(int(each) for each in (user, nice, system, *more))
    return ticks / os.sysconf("SC_CLK_TCK")
