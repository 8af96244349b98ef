"""The threads of the store may meet a domain value for the first time together."""

import subprocess
import sys
from pathlib import Path

LIVES = 40
TOGETHER = """
import os, sys, threading
from pathlib import Path
import msgspec
from app.domain.run import Run
from app.domain.task import Task
from app.store.database import Database
from tests.support.rows import a_run, a_task

def meet(go, plain, kind):
    go.wait()
    msgspec.convert(plain, kind)

def live():
    sys.setswitchinterval(1e-6)
    go = threading.Barrier(8)
    met = [(go, msgspec.to_builtins(one), type(one)) for one in (a_task(), a_run())]
    threads = [threading.Thread(target=meet, args=met[n % 2]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os._exit(0)

database = Database.open(Path(sys.argv[1]))
ends = set()
for _ in range(int(sys.argv[2])):
    pid = os.fork()
    if pid == 0:
        live()
    ends.add(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
database.close()
print(ends)
"""


def test_that_does_not_crash_the_process(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", TOGETHER, str(tmp_path), str(LIVES)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout == "{0}\n", told.stderr
