"""What a run's tree needs besides its commit."""

from typing import Final

from app.domain.base import Value

PORTS: Final = 10
"""Ports a run may use, counted from its own `PORT_BASE`."""


class Outfit(Value, frozen=True, kw_only=True):
    """Said once, when the task is submitted."""

    copies: tuple[str, ...] = ()
    """Patterns, as in `.gitignore`, of ignored files of the user's checkout that agents get."""
    setup: tuple[str, ...] = ()
    """Shell commands that must succeed in the sandbox before its first program."""
    base: str = ""
    """Image that agents' images stand on, as a person approved it; empty for swarm's own."""
    teardown: tuple[str, ...] = ()
    """Shell commands that run in the sandbox before it is removed."""
