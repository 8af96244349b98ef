"""How long tests wait for what should come."""

import os
from typing import Final

PATIENCE: Final = float(os.environ.get("SWARM_TEST_PATIENCE", "300"))
"""Seconds. Far more than anything takes on a slow and busy machine: only a test that fails waits as long."""
