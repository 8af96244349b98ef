"""When agents worked, and for what: their turns and the questions that were open meanwhile, by budget."""

from collections.abc import Sequence
from typing import TypeAlias

import sqlalchemy as sa
from msgspec.structs import replace

from app.domain.base import Value
from app.domain.budget import Account, Cap, begin_of
from app.domain.ids import RunId
from app.store.sql import value
from app.store.tables import APPROVAL, AUDIT, RAISE, RUN, TASK, TURN

_LOOKS = ("resumed", "retried", "changes")
"""What a person does after having looked, so that agents may go on."""
_Which: TypeAlias = Sequence[sa.ColumnElement[bool]]
"""Conditions on runs and their tasks."""


class Stretch(Value, frozen=True, kw_only=True):
    """A time without interruption, in Unix seconds."""

    run: RunId
    began: float
    ended: float | None
    """None: it lasts."""


class Work(Value, frozen=True, kw_only=True):
    """What counts against one budget."""

    since: float
    """Nothing before counts."""
    turns: tuple[Stretch, ...]
    waits: tuple[Stretch, ...]
    """In which a person was asked something."""
    given: float = 0.0
    """Seconds by which people have raised the budget since then."""


def work_under(c: sa.Connection, who: Account, cap: Cap) -> Work:
    """The work that counts against that cap of the account's chain."""
    which, since = _counted(c, who, cap)
    given = sa.select(sa.func.coalesce(sa.func.sum(RAISE.c.seconds_given), 0.0))
    given = given.join(APPROVAL, APPROVAL.c.id == RAISE.c.approval)
    given = given.where(RAISE.c.tally == cap.key, APPROVAL.c.answered >= since)
    return replace(_work(c, which, since), given=float(c.execute(given).scalar_one()))


def _counted(c: sa.Connection, who: Account, cap: Cap) -> tuple[_Which, float]:
    """Whose work counts, and since when."""
    kind, _, name = cap.key.partition("/")
    begin = name.rpartition("/")[2]
    match kind:
        case "run":
            return _since_looked(c, [RUN.c.id == who.run])
        case "task":
            return _since_looked(c, [RUN.c.task == who.task])
        case "flow":
            return _since_looked(c, [TASK.c.flow == who.flow])
        case "agent":
            return [RUN.c.agent == who.agent], begin_of(begin)
        case "repository":
            return [TASK.c.repo == who.repo], begin_of(begin)
        case _:
            return [], begin_of(begin)


def _since_looked(c: sa.Connection, which: _Which) -> tuple[_Which, float]:
    looked = sa.select(sa.func.max(AUDIT.c.at)).where(
        AUDIT.c.run.in_(_runs(which)), AUDIT.c.what.in_(_LOOKS), AUDIT.c.actor != "swarm"
    )
    return which, float(c.execute(looked).scalar() or 0.0)


def _work(c: sa.Connection, which: _Which, since: float) -> Work:
    turns = sa.select(TURN.c.run, TURN.c.began, TURN.c.ended).where(
        TURN.c.run.in_(_runs(which)), sa.or_(TURN.c.ended.is_(None), TURN.c.ended > since)
    )
    found = tuple(value(row, Stretch) for row in c.execute(turns).mappings())
    waits = sa.select(
        APPROVAL.c.run, APPROVAL.c.opened.label("began"), APPROVAL.c.answered.label("ended")
    ).where(APPROVAL.c.run.in_({turn.run for turn in found}))
    return Work(
        since=since,
        turns=found,
        waits=tuple(value(row, Stretch) for row in c.execute(waits).mappings()),
    )


def _runs(which: _Which) -> sa.Select[tuple[str]]:
    return sa.select(RUN.c.id).join(TASK, TASK.c.id == RUN.c.task).where(*which)
