"""How long agents have worked, by budget. Time in which one waits for a person is its own."""

import sqlalchemy as sa

from app.domain.base import Value
from app.domain.budget import Account, Cap, Ceilings, chain, day_of
from app.store import hours
from app.store.hours import Stretch, Work


class Used(Value, frozen=True, kw_only=True):
    """How a budget of time stands, in seconds of work."""

    cap: Cap
    since: float
    """When it began to count, in Unix seconds."""
    worked: float
    limit: float
    """With what people have added."""

    @property
    def left(self) -> float:
        """Below zero after an overrun."""
        return self.limit - self.worked


def limited(who: Account, above: Ceilings, now: float) -> tuple[Cap, ...]:
    """The budgets of time the run counts against, the narrowest first."""
    return tuple(cap for cap in chain(who, above, day_of(now)) if cap.seconds is not None)


def used(c: sa.Connection, who: Account, above: Ceilings, now: float) -> tuple[Used, ...]:
    """How each of them stands."""
    return tuple(_used(cap, hours.work_under(c, who, cap), now) for cap in limited(who, above, now))


def _used(cap: Cap, work: Work, now: float) -> Used:
    limit = (cap.seconds or 0.0) + work.given
    return Used(cap=cap, since=work.since, worked=worked(work, now), limit=limit)


def worked(work: Work, now: float) -> float:
    """Seconds of these turns in which no question of the same run was open."""
    total = 0.0
    for turn in work.turns:
        waits = sorted(_whole(wait, now) for wait in work.waits if wait.run == turn.run)
        began, ended = _whole(turn, now)
        total += _between(max(began, work.since), ended, waits)
    return total


def _whole(stretch: Stretch, now: float) -> tuple[float, float]:
    return stretch.began, now if stretch.ended is None else stretch.ended


def _between(begin: float, end: float, waits: list[tuple[float, float]]) -> float:
    """The length of a stretch of time without the waits in it, which may overlap."""
    total, at = 0.0, begin
    for opened, answered in waits:
        total += max(0.0, min(opened, end) - at)
        at = max(at, min(answered, end))
    return total + max(0.0, end - at)
