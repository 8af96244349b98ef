"""What the way out needs of the tables; met where everything is composed."""

from typing import Protocol

from app.domain.ids import RunId
from app.domain.network import Knock


class Book(Protocol):
    """What runs may reach, and what they asked for, durably."""

    async def allowed(self, run: RunId) -> frozenset[str]:
        """The hosts the run may reach now."""
        ...

    async def left(self, run: RunId) -> int:
        """Bytes the run may still send and receive."""
        ...

    async def note(self, run: RunId, knock: Knock) -> None:
        """Write down what happened."""
        ...
