"""Whether a run's model traffic is recorded, or played from a recording."""

from app.domain.base import Value


class Cassette(Value, frozen=True, kw_only=True):
    """At most one of both is set; both are absolute paths on the supervisor's host."""

    record: str = ""
    """File to which every model call and its reply is added."""
    replay: str = ""
    """File that answers instead of the model providers."""
