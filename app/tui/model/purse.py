"""What everybody spends: today, and how fast. A fold over the charges of all runs, whatever their repository."""

from collections import deque
from typing import Final

from app.domain.base import Value
from app.domain.budget import day_of
from app.domain.events import Event, Spent
from app.domain.money import Micros
from app.wire import Purse

WINDOW: Final = 900.0
"""Seconds over which the rate is told."""
_HOUR: Final = 3600.0


class Pace(Value, frozen=True):
    """What the header says of money."""

    today: Micros = Micros(0)
    cap: Micros | None = None
    """What may be spent in a day; None without a limit."""
    hourly: Micros = Micros(0)
    """What an hour would cost at the rate of the last quarter."""


class Spending:
    """Loaded with the board, kept by events. Each event tells the day's sum whole, so that none counts twice."""

    def __init__(self) -> None:
        self._purse = Purse()
        self._day = ""
        self._lately: deque[tuple[float, Micros]] = deque()

    def load(self, purse: Purse, now: float) -> None:
        """Take over what the supervisor says."""
        self._purse, self._day = purse, day_of(now)
        self._lately = deque(purse.lately)

    def apply(self, event: Event) -> bool:
        """Fold one event in; whether it was a charge."""
        if not isinstance(event.body, Spent) or not event.body.day:
            return False
        self._lately.append((event.at, Micros(event.body.micros)))
        day = day_of(event.at)
        if day >= self._day:
            before = self._purse.today if day == self._day else 0
            self._day = day
            self._purse = Purse(today=Micros(max(before, event.body.day)), cap=self._purse.cap)
        return True

    def at(self, now: float) -> Pace:
        """How it stands at that time."""
        while self._lately and self._lately[0][0] <= now - WINDOW:
            self._lately.popleft()
        lately = sum(micros for _at, micros in self._lately)
        today = self._purse.today if day_of(now) == self._day else Micros(0)
        return Pace(today, self._purse.cap, Micros(round(lately * _HOUR / WINDOW)))
