"""Money is whole micro-dollars everywhere; decimals only at the edge where a person reads or types them."""

from decimal import Decimal, InvalidOperation
from typing import Literal, NewType, TypeAlias

from app.domain.base import Value

Micros = NewType("Micros", int)
"""Millionths of a US dollar."""


Known: TypeAlias = Literal["provider", "metered", "estimated", "held"]
"""How a cost is known: the provider said so; its usage times our prices; times an assumed price; or the usage
never arrived, and the whole reservation is charged."""


class Charge(Value, frozen=True, kw_only=True):
    """What one model call cost."""

    micros: Micros
    model: str
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    """Written to the provider's cache, for however long."""
    cache_write_long: int = 0
    """Those of them that are kept for an hour."""
    known: Known = "metered"
    prices: str = ""
    """Name of the price data it was computed with."""
    rates: tuple[int, ...] = ()
    """Micro-dollars per million tokens: input, output, cache read, cache write, cache write for an hour.

    With them a charge can be checked when its price data is gone. Empty for a call that a crash has lost.
    """

    @property
    def listed(self) -> Micros:
        """What its tokens cost at its rates, rounded up, whatever was charged in the end."""
        short = self.cache_write - self.cache_write_long
        tokens = (self.input, self.output, self.cache_read, short, self.cache_write_long)
        total = sum(count * rate for count, rate in zip(tokens, self.rates, strict=False))
        return Micros(-(-total // 1_000_000))


def parse_dollars(text: str) -> Micros:
    """`1.50`, `$1.50` or `0.000001` as micro-dollars. Raises `ValueError` that says what is wrong."""
    try:
        dollars = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        raise ValueError(f"{text!r} is not an amount in dollars, such as 1.50") from None
    if not dollars.is_finite() or dollars < 0:
        raise ValueError(f"{text!r} is not an amount in dollars of zero or more")
    micros = dollars * 1_000_000
    if micros != micros.to_integral_value():
        raise ValueError(f"{text!r} is finer than a millionth of a dollar")
    return Micros(int(micros))


def dollars(amount: int) -> str:
    """`$0.31`, with more digits only below a cent: `$0.0042`."""
    if amount and abs(amount) < 10_000:
        return f"${amount / 1_000_000:.4f}"
    return f"${amount / 1_000_000:.2f}"
