"""Turns of a run, and the checks after each."""

from typing import Final

import msgspec
import sqlalchemy as sa

from app.domain.base import Value
from app.domain.ids import RunId
from app.domain.review import CheckResult
from app.store.sql import insert_once, plain, value
from app.store.tables import CHECK, TURN

UNTENDED: Final = "untended"
"""How a turn ended of which swarm did not see the end."""


class Turn(Value, frozen=True, kw_only=True):
    """One prompt given to the agent of a run, and how it ended."""

    run: RunId
    number: int
    round: int
    prompt: str
    resumes: str = ""
    """The agent's conversation this turn continues; empty when it starts afresh."""
    began: float
    ended: float | None = None
    exit_code: int | None = None
    exit_reason: str = ""
    stop_reason: str = ""
    error: str = ""
    over_budget: bool = False
    by_hand: str = ""
    """What a person works with in this turn: `agent`, its own screen, or `shell`. Empty: the agent works alone."""
    snapshot: str = ""
    """Commit of what it left in the tree; empty while nothing is changed, and of turns of older versions."""


class TurnEnd(msgspec.Struct, frozen=True):
    """What is known when a turn is over."""

    ended: float
    exit_code: int | None
    exit_reason: str
    stop_reason: str
    error: str
    over_budget: bool


def add(c: sa.Connection, turn: Turn) -> bool:
    return insert_once(c, TURN, **plain(turn))


def turn(c: sa.Connection, run: RunId, number: int) -> Turn:
    query = sa.select(TURN).where(TURN.c.run == run, TURN.c.number == number)
    return value(c.execute(query).one(), Turn)


def turns_of(c: sa.Connection, run: RunId) -> tuple[Turn, ...]:
    """All turns of a run, oldest first."""
    rows = c.execute(sa.select(TURN).where(TURN.c.run == run).order_by(TURN.c.number))
    return tuple(value(row, Turn) for row in rows)


def reword(c: sa.Connection, run: RunId, number: int, prompt: str) -> Turn:
    """Give a turn that has not begun another prompt."""
    here = (TURN.c.run == run, TURN.c.number == number)
    c.execute(sa.update(TURN).where(*here).values(prompt=prompt))
    return turn(c, run, number)


def left(c: sa.Connection, run: RunId, number: int, snapshot: str) -> None:
    """What the turn left in the tree."""
    here = (TURN.c.run == run, TURN.c.number == number)
    c.execute(sa.update(TURN).where(*here).values(snapshot=snapshot))


def end(c: sa.Connection, run: RunId, number: int, how: TurnEnd) -> None:
    c.execute(
        sa.update(TURN).where(TURN.c.run == run, TURN.c.number == number).values(**plain(how))
    )


def leave(c: sa.Connection, run: RunId, at: float) -> tuple[int, ...]:
    """Close a turn that swarm could not tend to its end, as when the engine did not answer; its number."""
    still_open = (TURN.c.run == run, TURN.c.ended.is_(None))
    left = tuple(c.execute(sa.select(TURN.c.number).where(*still_open)).scalars())
    c.execute(sa.update(TURN).where(*still_open).values(ended=at, exit_reason=UNTENDED))
    return left


def add_check(c: sa.Connection, run: RunId, turn_: int, number: int, result: CheckResult) -> bool:
    return insert_once(c, CHECK, run=run, turn=turn_, number=number, **plain(result))


def checks_of(c: sa.Connection, run: RunId, turn_: int | None = None) -> tuple[CheckResult, ...]:
    """Checks of one turn; without one, of the newest turn that was checked."""
    if turn_ is None:
        turn_ = c.execute(sa.select(sa.func.max(CHECK.c.turn)).where(CHECK.c.run == run)).scalar()
    query = sa.select(CHECK).where(CHECK.c.run == run, CHECK.c.turn == turn_)
    rows = c.execute(query.order_by(CHECK.c.number))
    return tuple(value(row, CheckResult) for row in rows)
