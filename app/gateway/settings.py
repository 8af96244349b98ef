"""What the gateway needs to know; the configuration is mapped to it where everything is composed."""

from collections.abc import Mapping
from typing import Literal

from app.domain.base import Value


class Rates(Value, frozen=True, kw_only=True):
    """Micro-dollars per million tokens: `4_000_000` is four dollars per million."""

    input: int
    output: int
    cache_read: int
    cache_write: int
    """Written to the provider's cache for five minutes."""
    cache_write_long: int
    """Written for an hour."""


class Upstream(Value, frozen=True, kw_only=True):
    """A model provider. A model named `<name>/<id>` goes to the upstream of that name, others to the first."""

    name: str
    url: str
    """Base address without the dialect's path, for example `https://api.anthropic.com`."""
    key: str = ""
    """Where its API key is: `env:NAME`, `file:PATH` or `cmd:COMMAND`; empty for none."""
    auth: Literal["x-api-key", "bearer"] = "x-api-key"
    """The header that carries the key."""
    timeout: float = 600.0
    """Seconds without a byte after which a call counts as cut."""
    aliases: Mapping[str, str] = {}
    """Model names as agents write them, to the ids this provider knows."""


class GatewaySettings(Value, frozen=True, kw_only=True):
    """Everything about the gateway that can be chosen."""

    upstreams: tuple[Upstream, ...]
    """At least one; the first is the default."""
    unknown_model: Literal["refuse", "assume", "free"] = "refuse"
    """A model without a known price is refused, charged at `assume`, or costs nothing (local models)."""
    assume: Rates | None = None
    prices: Mapping[str, Rates] = {}
    """Rates by model id, where the price list is wrong or silent."""
    floor: int = 8192
    """Output tokens below which a call is refused, not cut short: agents give up after a few cut answers."""
    bytes_per_token: Literal[1, 2] = 2
    """How many bytes of a request are counted as one input token at least; 1 can never be too low."""
    sibling_wait: float = 30.0
    """Seconds a call waits for money that other calls of its run hold, before it is refused."""
    drain: float = 30.0
    """Seconds a call whose agent is gone is read on, to learn what it really cost."""
    refusals: int = 20
    """Refused calls in a row after which the run's connections are closed unread."""
    calls_per_minute: int = 600
    """More than that is a loop, not work."""
    calls_at_once: int = 16
    """Calls of one run that are worked on; more of them wait."""
    connections: int = 64
    """Connections one run may have open, so that none can use up what all runs share."""
    body_limit: int = 16 * 1024**2
    """Bytes a request may have."""
