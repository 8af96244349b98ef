"""Errors of the harnesses.

HarnessError
├── UnknownHarness      no driver of that name is installed
├── UnknownAgent        no catalogue entry of that name
└── BadSettings         an agent's settings, or a script, are not of the form the harness takes
"""


class HarnessError(Exception):
    """Something about an agent or its protocol is not as swarm needs it."""

    hint: str = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint or self.hint


class UnknownHarness(HarnessError):
    """No driver of that name is installed."""


class UnknownAgent(HarnessError):
    """No catalogue entry of that name."""


class BadSettings(HarnessError):
    """An agent's settings, or its script, are not of the form its harness takes."""
