"""What the gateway needs of the money and of whoever watches; met where everything is composed."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from app.domain.base import Value
from app.domain.budget import Claim, Headroom, Room, Unit
from app.domain.events import Refused, Spent, UpstreamFailed
from app.domain.ids import RunId
from app.domain.money import Charge, Micros

Planner: TypeAlias = Callable[[Headroom], Claim | None]
"""What a call may use at most when that is left; None when it is too little. Pure."""


class Totals(Value, frozen=True, kw_only=True):
    """What has been spent, the call just settled included."""

    run: Micros
    """By the call's run."""
    day: Micros
    """By everybody, on the day the call counts against."""


class Ledger(Protocol):
    """Money, durably. Every method is one transaction over every budget the run counts against."""

    async def reserve(
        self, run: RunId, hold: str, plan: Planner, *, model: str, lane: str
    ) -> Claim | Headroom:
        """Hold what is planned for what is left; the headroom, and nothing held, when that is too little."""
        ...

    async def settle(self, hold: str, charge: Charge) -> Totals:
        """Turn the hold into a charge, once. `held` charges cost the whole hold."""
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

    async def failed(self, run: RunId, failed: UpstreamFailed) -> None:
        """A model API refused a call of the run, or did not answer."""
        ...


class Shortage(Value, frozen=True, kw_only=True):
    """What a call lacks."""

    room: Room
    """The budget that is too small."""
    needs: int
    """What the shortest useful answer may use, in that budget's unit."""
    unit: Unit = "money"


class Desk(Protocol):
    """Who can give a run more."""

    async def more(self, run: RunId, shortage: Shortage) -> bool:
        """Ask for more, and wait for the answer; whether another look at the budget is worth while.

        Cancelled when the agent hangs up.
        """
        ...

    async def rest(self, run: RunId, until: float, why: str) -> None:
        """Note that the run can go on at that time, not before: it is stopped now and resumed then."""
        ...


class NoDesk:
    """Nobody can be asked: a limit is the end."""

    async def more(self, run: RunId, shortage: Shortage) -> bool:
        return False

    async def rest(self, run: RunId, until: float, why: str) -> None:
        """Nobody comes back."""
