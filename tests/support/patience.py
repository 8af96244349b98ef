"""How long tests wait for what should come."""

from typing import Final

PATIENCE: Final = 300.0
"""Seconds. Far more than anything takes on a slow and busy machine: only a test that fails waits as long."""
