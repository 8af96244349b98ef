"""What a call is charged: its usage at its price, the provider's own word, or the whole hold. Pure."""

import msgspec

from app.domain.events import Spent
from app.domain.money import Charge, Known, Micros
from app.gateway.admission import Hold
from app.gateway.dialects import Meter
from app.gateway.ledger import Totals
from app.gateway.prices import ASSUMED, Price, Usage


def charge_of(meter: Meter | None, hold: Hold, price: Price, model: str) -> Charge:
    """The metered cost; the whole hold when the usage never came, even if part of it did."""
    used, told = (Usage(), None) if meter is None else (meter.usage, meter.cost)
    listed, complete = price.cost(used), meter is not None and meter.complete
    micros = listed if told is None else told
    return Charge(
        micros=micros if complete else Micros(max(listed, hold.plan.micros)),
        model=model,
        input=used.input,
        output=used.output,
        cache_read=used.cache_read,
        cache_write=used.cache_write + used.cache_write_long,
        cache_write_long=used.cache_write_long,
        known=_known(price, complete=complete, told=told),
        prices=price.data,
        rates=msgspec.structs.astuple(price.rates(used.sent)),
    )


def _known(price: Price, *, complete: bool, told: Micros | None) -> Known:
    if not complete:
        return "held"
    if told is not None:
        return "provider"
    return "estimated" if price.data == ASSUMED else "metered"


def spent_by(charge: Charge, totals: Totals) -> Spent:
    """The charge as those who watch are told of it."""
    return Spent(
        micros=charge.micros,
        total=totals.run,
        day=totals.day,
        model=charge.model,
        input=charge.input,
        output=charge.output,
        cache_read=charge.cache_read,
        cache_write=charge.cache_write,
        known=charge.known,
        listed=charge.listed if charge.known == "provider" else None,
    )
