"""Named points at which a test may kill the supervisor, to prove that nothing is lost there.

`SWARM_FAULT` names one or more; in the file `SWARM_FAULT_FLAG` stand those that have fired: each does once.
Without them: nothing.
"""

import os
import signal
from pathlib import Path


def fault(point: str) -> None:
    """Die here, by SIGKILL, if a test asked for this point and it has not fired yet."""
    if point not in os.environ.get("SWARM_FAULT", "").split():
        return
    flag = Path(os.environ["SWARM_FAULT_FLAG"])
    fired = flag.read_text().split() if flag.exists() else []
    if point not in fired:
        flag.write_text(" ".join([*fired, point]))
        os.kill(os.getpid(), signal.SIGKILL)
