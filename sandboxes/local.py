"""Sandboxes without any isolation: for people who choose that aloud, on a machine that is itself disposable."""

from typing import ClassVar

from sandboxes.hostbox import HostDriver
from sandboxes.spec import Isolation


class LocalDriver(HostDriver):
    """Programs run as the user, on the host, and can do whatever the user can."""

    name: ClassVar[str] = "local"
    isolation: ClassVar[Isolation] = "none"
