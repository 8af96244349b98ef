"""What people say to an agent at work: each is taken into a running turn, or becomes the next turn's prompt."""

import sqlalchemy as sa

from app.domain.base import Value
from app.domain.ids import RunId
from app.store.sql import plain, value
from app.store.tables import TELL


class Tell(Value, frozen=True, kw_only=True):
    """A person's words to the agent of a run."""

    id: str
    """A UUID: what is sent twice under one id arrives once."""
    run: RunId
    number: int = 0
    """Its place among the run's; given when it is added."""
    text: str
    by: str
    at: float
    taken: float | None = None
    """When the agent had it for certain."""


def add(c: sa.Connection, tell: Tell) -> None:
    count = sa.select(sa.func.coalesce(sa.func.max(TELL.c.number), 0)).where(TELL.c.run == tell.run)
    number = int(c.execute(count).scalar_one()) + 1
    c.execute(sa.insert(TELL).values(**{**plain(tell), "number": number}))


def waiting(c: sa.Connection, run: RunId) -> tuple[Tell, ...]:
    """What the agent does not have yet, oldest first."""
    query = sa.select(TELL).where(TELL.c.run == run, TELL.c.taken.is_(None))
    return tuple(value(row, Tell) for row in c.execute(query.order_by(TELL.c.number)))


def take(c: sa.Connection, run: RunId, ids: tuple[str, ...], at: float) -> None:
    """The agent has these; ids that are not the run's, or were taken before, change nothing."""
    mine = (TELL.c.run == run, TELL.c.id.in_(ids), TELL.c.taken.is_(None))
    c.execute(sa.update(TELL).where(*mine).values(taken=at))


def take_all(c: sa.Connection, run: RunId, at: float) -> str:
    """Everything that waits, as the end of a prompt, in the transaction that stores the prompt."""
    found = waiting(c, run)
    take(c, run, tuple(tell.id for tell in found), at)
    return "\n\n".join(tell.text for tell in found)
