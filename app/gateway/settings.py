"""What the gateway needs to know; the configuration is mapped to it where everything is composed."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from app.domain.base import Value

DialectName: TypeAlias = Literal["anthropic", "responses", "chat", "gemini"]
"""All that are served: Anthropic Messages, OpenAI Responses, OpenAI Chat Completions, Gemini. A closed set."""
Auth: TypeAlias = Literal["auto", "x-api-key", "api-key", "x-goog-api-key", "bearer"]
UnknownModel: TypeAlias = Literal["refuse", "assume", "free"]
"""A model without a known price is refused, charged at `assume`, or costs nothing (local models)."""


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
    """A model provider. `upstreams.Upstreams.choose` says which one serves a call."""

    name: str
    url: str
    """Base address as the provider tells it; `{model}` stands for the model's id."""
    dialects: tuple[DialectName, ...] = ("anthropic",)
    """What it speaks."""
    key: str = ""
    """Where its API key is: `env:NAME`, `file:PATH`, `cmd:COMMAND` or `keyring:SERVICE/USER`; empty for none."""
    auth: Auth = "auto"
    """The header that carries the key; `auto` takes the one that is usual for the dialect."""
    query: Mapping[str, str] = {}
    """Added to every address, for example `api-version`."""
    ca: str = ""
    """A PEM file with the authorities that may vouch for it, instead of the system's."""
    proxy: str = ""
    """The outgoing HTTP proxy; empty for the host's environment to say, `none` for none."""
    timeout: float = 600.0
    """Seconds without a byte after which a call counts as cut."""
    models: tuple[str, ...] = ()
    """Patterns of model names it serves; empty for any."""
    aliases: Mapping[str, str] = {}
    """Model names as agents write them, to the ids this provider knows."""
    unknown_model: UnknownModel | None = None
    """What becomes of models without a known price here; None as for all."""


class GatewaySettings(Value, frozen=True, kw_only=True):
    """Everything about the gateway that can be chosen."""

    upstreams: tuple[Upstream, ...]
    """In the order in which they are asked whether they serve a model."""
    unknown_model: UnknownModel = "refuse"
    assume: Rates | None = None
    prices: Mapping[str, Rates] = {}
    """Rates by model id, where the price list is wrong or silent."""
    floor: int = 8192
    """Output tokens below which a call is refused, not cut short: agents give up after a few cut answers."""
    bytes_per_token: Literal[1, 2] = 2
    """How many bytes of a request are counted as one input token at least; 1 can never be too low."""
    attempts: int = 3
    """How often a request is sent to a provider that fails before it says anything."""
    longest_wait: float = 300.0
    """Seconds an agent is kept waiting when a provider says how long; what takes longer parks its run."""
    alive: float = 15.0
    """Seconds after which an agent that is kept waiting gets a beginning of its reply, and signs of life."""
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
