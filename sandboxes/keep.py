"""Keeps one detached program: starts it once, holds its standard input open, writes down how it ended.

Usage: keep.py DIRECTORY, which holds `program.json` and, for an interactive program, the pipe `stdin`.

Of any number of keepers of one directory exactly one gets the claim and starts the program. It leaves behind
`claim` (who keeps it), `pid` (what is kept), `out`, `err` and at the end `status`. It returns as soon as the
claim is decided and goes on in the background, so it outlives whoever started it.

Standard library only, and nothing of this package: it runs apart from it (`python -I`).
"""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

PR_SET_CHILD_SUBREAPER = 36
"""prctl(2)."""


def identity(pid: int) -> str:
    """What tells this process from a later one with the same number; empty when it has ended."""
    try:
        known = facts(Path(f"/proc/{pid}/stat"))
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _identity_by_ps(pid)
    return "" if known[0] in "ZX" else known[19]


def facts(stat: Path) -> list[str]:
    """What Linux tells of a process, from its state on: proc_pid_stat(5). Raises `OSError` when it is gone."""
    return stat.read_text().rpartition(")")[2].split()


def _identity_by_ps(pid: int) -> str:
    found = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def boot() -> str:
    """What tells this start of the host from an earlier one."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        asked = ["sysctl", "-n", "kern.boottime"]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def mark(pid: int) -> dict[str, Any]:
    """A process, written so that `lives` knows it again."""
    return {"pid": pid, "start": identity(pid), "boot": boot()}


def lives(marked: dict[str, Any]) -> bool:
    """Whether that very process is still running."""
    same = identity(marked["pid"]) == marked["start"] and marked["boot"] == boot()
    return bool(marked["start"]) and same


def claim(directory: Path) -> bool:
    """Take the claim; False when another keeper has it. The link appears whole or not at all."""
    draft = directory / f"claim.{os.getpid()}"
    draft.write_text(json.dumps(mark(os.getpid())))
    try:
        os.link(draft, directory / "claim")
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def put(path: Path, value: object) -> None:
    draft = path.with_name(path.name + ".tmp")
    draft.write_text(json.dumps(value))
    draft.replace(path)


def keep(directory: Path) -> None:
    """Run the program to its end."""
    # Handlers, not "ignore": that would be inherited by the program.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    adopt_orphans()
    wanted = json.loads((directory / "program.json").read_text())
    with (
        (directory / "out").open("ab") as out,
        (directory / "err").open("ab") as err,
        open_input(directory) as stdin,
    ):
        try:
            child = subprocess.Popen(
                wanted["argv"],
                cwd=wanted["cwd"],
                env=wanted["env"],
                stdin=stdin,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        except OSError as error:
            err.write(f"{wanted['argv'][0]}: {error.strerror}\n".encode())
            code = 127 if isinstance(error, FileNotFoundError) else 126
        else:
            put(directory / "pid", mark(child.pid))
            code = child.wait()
            # What it left running ends with it, as in a container.
            with contextlib.suppress(OSError):
                os.killpg(child.pid, signal.SIGKILL)
            end_orphans()
    put(directory / "status", {"code": code if code >= 0 else 128 - code})


def adopt_orphans() -> None:
    """Become the parent of what loses its own below this process, in whatever session. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_orphans() -> None:
    """Kill what was adopted, and what that leaves in turn."""
    with contextlib.suppress(ChildProcessError):
        while True:
            for pid in children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            os.waitpid(-1, 0)


def children() -> list[int]:
    """Processes whose parent this one is."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(facts(stat)[1]) == os.getpid():
                found.append(int(stat.parent.name))
    return found


@contextlib.contextmanager
def open_input(directory: Path) -> Any:
    """The program's standard input; the pipe stays open for writers that come and go."""
    pipe = directory / "stdin"
    if not pipe.exists():
        with Path(os.devnull).open("rb") as nothing:
            yield nothing
        return
    held = os.open(pipe, os.O_RDWR)
    with pipe.open("rb", buffering=0) as stdin:
        yield stdin
    os.close(held)


def main(directory: Path) -> int:
    decided, tell = os.pipe()
    if os.fork():
        os.close(tell)
        return 0 if os.read(decided, 1) else 1
    os.setsid()
    os.close(decided)
    won = claim(directory)
    os.write(tell, b"!")
    os.close(tell)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    if won:
        keep(directory)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
