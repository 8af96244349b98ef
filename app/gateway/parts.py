"""What every call at the gateway works with."""

from collections.abc import Callable
from dataclasses import dataclass

from app.gateway.ledger import Desk, Ledger, Witness
from app.gateway.prices import Prices
from app.gateway.settings import GatewaySettings
from app.gateway.upstreams import Upstreams


@dataclass(frozen=True)
class Parts:
    """Composed once by `Gateway`."""

    settings: GatewaySettings
    ledger: Ledger
    witness: Witness
    desk: Desk
    prices: Prices
    upstreams: Upstreams
    clock: Callable[[], float]
    mint: Callable[[], str]
    """Names holds."""
