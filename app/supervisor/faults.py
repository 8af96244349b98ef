"""Named points at which a test may kill the supervisor, to prove that nothing is lost there.

`SWARM_FAULT` names the point; the file `SWARM_FAULT_FLAG` makes it fire once. Without them: nothing.
"""

import os
import signal
from pathlib import Path


def fault(point: str) -> None:
    """Die here, by SIGKILL, if a test asked for this point and it has not fired yet."""
    if os.environ.get("SWARM_FAULT") != point:
        return
    flag = Path(os.environ["SWARM_FAULT_FLAG"])
    if not flag.exists():
        flag.write_text(point)
        os.kill(os.getpid(), signal.SIGKILL)
