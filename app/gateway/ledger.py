"""What the gateway needs of the money and of whoever watches; met where everything is composed."""

from typing import Protocol

from app.domain.events import Refused, Spent
from app.domain.ids import RunId
from app.domain.money import Charge, Headroom, Micros


class Ledger(Protocol):
    """Money, durably. Every method is one transaction."""

    async def headroom(self, run: RunId) -> Headroom:
        """What the run may still spend, over every budget it counts against."""
        ...

    async def reserve(self, run: RunId, hold: str, micros: Micros, model: str) -> bool:
        """Hold that much; False, and nothing held, when a budget has no room for it."""
        ...

    async def settle(self, hold: str, charge: Charge) -> Micros:
        """Turn the hold into a charge, once; returns all the run has spent. `held` charges cost the whole hold."""
        ...

    async def release(self, hold: str) -> None:
        """Give a hold back whole: the provider did not bill."""
        ...

    async def refuse(self, run: RunId, refused: Refused) -> None:
        """Note a call that was not let through."""
        ...


class Witness(Protocol):
    """Who is told what happens at the gateway, after the ledger knows it."""

    async def first_request(self, run: RunId) -> None:
        """The run's agent reached the gateway for the first time since it was opened."""
        ...

    async def settled(self, run: RunId, spent: Spent) -> None: ...

    async def refused(self, run: RunId, refused: Refused) -> None: ...
