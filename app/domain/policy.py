"""What people's files say about the content of changes, besides what swarm watches by itself."""

from app.domain.base import Value


class ChangePolicy(Value, frozen=True, kw_only=True):
    """Patterns as in .gitignore. The user's own file and the repository's together; the strictest one counts."""

    block: tuple[str, ...] = ()
    """Nobody may approve a change to these."""
    confirm: tuple[str, ...] = ()
    """A person confirms a change to each of these."""
    warn: tuple[str, ...] = ()
    """A change to these is told."""
    allow: tuple[str, ...] = ()
    """Of these, swarm's own findings that a person could confirm are not raised; only the user may say so."""
    secrets: tuple[str, ...] = ()
    """Fingerprints of secrets that may be in a change; only the user may say so."""


SHIPPED = ChangePolicy()
"""What holds where nobody has written anything."""
