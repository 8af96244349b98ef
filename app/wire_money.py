"""Bodies of the local API about money; part of `app.wire`."""

from app.domain.base import Value
from app.domain.ids import RunId
from app.domain.money import Micros


class Purse(Value, frozen=True, kw_only=True):
    """What everybody has spent of late, in all repositories."""

    today: Micros = Micros(0)
    """On this day (of UTC)."""
    cap: Micros | None = None
    """What may be spent on it; None without a limit."""
    lately: tuple[tuple[float, Micros], ...] = ()
    """When what was charged in the last quarter of an hour, oldest first."""


class Spend(Value, frozen=True, kw_only=True):
    """What the ledger has settled, and what it holds."""

    micros: Micros
    held: Micros
    calls: int
    refused: int
    input: int
    output: int
    cache_read: int
    cache_write: int


class CostLine(Value, frozen=True, kw_only=True):
    """One line of `GET /v1/costs?by=&of=&since=&until=`; all lines together are what was asked for, exactly."""

    key: str
    """Empty for calls that belong to none: a task without a label, an agent rather than a sub-agent."""
    micros: Micros
    calls: int
    input: int
    output: int
    cached: int = 0
    """Tokens read from, or written to, the provider's cache."""
    seconds: float = 0.0
    """Time the calls took, one after another."""
    unsure: Micros = Micros(0)
    """Part of `micros` that is an upper bound: the usage never arrived."""


class PriceLine(Value, frozen=True, kw_only=True):
    """One line of `GET /v1/prices`: micro-dollars per million tokens."""

    model: str
    provider: str
    above: int
    """Holds for calls that send more tokens than this; -1 for all."""
    input: int
    output: int
    cache_read: int
    cache_write: int
    cache_write_long: int
    data: str
    """Name of the list, or `config` for a price of your own."""


class PriceChange(Value, frozen=True, kw_only=True):
    """A model whose price another list says differently; None where only one of them knows it."""

    model: str
    provider: str
    before: PriceLine | None
    after: PriceLine | None


class PriceFile(Value, frozen=True, kw_only=True):
    """`POST /v1/prices`: a list to charge by, or only to compare with."""

    text: str
    install: bool = False
    by: str = ""


class PriceOverride(Value, frozen=True, kw_only=True):
    """`POST /v1/prices/override`: what one model costs, whatever the lists say."""

    model: str
    input: int | None = None
    """Micro-dollars per million tokens. Without it the model is charged by the list again."""
    output: int | None = None
    cache_read: int | None = None
    """As input when left out."""
    cache_write: int | None = None
    """Twice the input when left out."""
    by: str = ""


class Repriced(Value, frozen=True, kw_only=True):
    """`GET /v1/runs/{id}/reprice?model=`: the run's calls at the price of another model.

    Without a model, at the rates that each call was charged by.
    """

    run: RunId
    model: str
    calls: int
    micros: Micros
    """What they would have cost."""
    spent: Micros
    """What they did cost."""
    unsure: int
    """Calls whose usage never arrived, counted with what is known of them."""
