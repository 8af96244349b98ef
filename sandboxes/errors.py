"""Errors of the sandboxes.

SandboxError
├── UnknownDriver        no driver of that name is installed
├── SandboxUnavailable   this host cannot run it: no permission, image missing
│   └── EngineAway       what it is made by does not answer; it may do so again soon
├── SandboxRefused       the driver will not do this, by its own rules
└── SandboxFailed        an operation on a sandbox went wrong
"""


class SandboxError(Exception):
    """Something about a sandbox went wrong."""

    hint: str = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint or self.hint


class UnknownDriver(SandboxError):
    """No driver of that name is installed."""


class SandboxUnavailable(SandboxError):
    """This host cannot run such a sandbox now."""


class EngineAway(SandboxUnavailable):
    """What makes the sandboxes does not answer; what runs in them may live on."""


class SandboxRefused(SandboxError):
    """The driver will not do this, by its own rules."""


class SandboxFailed(SandboxError):
    """An operation on a sandbox went wrong."""
