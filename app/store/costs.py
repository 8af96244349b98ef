"""The ledger added up, by anything a charge is filed under."""

from typing import Final, Literal, TypeAlias, get_args

import sqlalchemy as sa

from app.domain.budget import day_of
from app.domain.ids import RunId
from app.domain.money import Charge, Micros
from app.store.sql import value
from app.store.tables import SPEND
from app.wire import CostLine

_DAY: Final = 24 * 60 * 60
By: TypeAlias = Literal[
    "run",
    "task",
    "turn",
    "flow",
    "agent",
    "subagent",
    "model",
    "day",
    "month",
    "repo",
    "user",
    "label",
    "prices",
    "known",
]
WAYS: Final[tuple[By, ...]] = get_args(By)


def costs(
    c: sa.Connection, by: By, *, of: str = "", since: str = "", until: str = ""
) -> tuple[CostLine, ...]:
    """Everything spent, grouped; the dearest first, days and months (of UTC) in order.

    `of` is a task or a run whose charges alone count; `since` and `until` are days such as `2026-11-21`, included.
    """
    key = _key(by).label("key")
    micros = _sum("micros").label("micros")
    unsure = sa.func.sum(sa.case((SPEND.c.known == "held", SPEND.c.micros), else_=0))
    query = (
        sa.select(
            key,
            micros,
            sa.func.count().label("calls"),
            _sum("input").label("input"),
            _sum("output").label("output"),
            (_sum("cache_read") + _sum("cache_write")).label("cached"),
            _sum("seconds").label("seconds"),
            unsure.label("unsure"),
        )
        .where(*_chosen(of, since, until))
        .group_by(key)
        .order_by(*((key,) if by in ("day", "month") else (micros.desc(), key)))
    )
    return tuple(
        CostLine(
            key=r.key,
            micros=Micros(int(r.micros)),
            calls=r.calls,
            input=int(r.input),
            output=int(r.output),
            cached=int(r.cached),
            seconds=float(r.seconds),
            unsure=Micros(int(r.unsure)),
        )
        for r in c.execute(query)
    )


def charges(c: sa.Connection, run: RunId) -> tuple[tuple[float, Charge], ...]:
    """When the run was charged what, oldest first."""
    rows = c.execute(sa.select(SPEND).where(SPEND.c.run == run).order_by(SPEND.c.at, SPEND.c.hold))
    return tuple((row.at, value(row, Charge)) for row in rows)


def lately(c: sa.Connection, since: float) -> tuple[tuple[float, Micros], ...]:
    """When what was charged since then, to any run, oldest first."""
    query = sa.select(SPEND.c.at, SPEND.c.micros).where(SPEND.c.at >= since).order_by(SPEND.c.at)
    # Rows are found by their day, on which a call began: that may have been the one before.
    query = query.where(SPEND.c.day >= day_of(since - _DAY))
    return tuple((row.at, Micros(row.micros)) for row in c.execute(query))


def _chosen(of: str, since: str, until: str) -> list[sa.ColumnElement[bool]]:
    named = (SPEND.c.run if "." in of else SPEND.c.task) == of
    return [
        *([named] if of else []),
        *([SPEND.c.day >= since] if since else []),
        *([SPEND.c.day <= until] if until else []),
    ]


def _sum(column: str) -> sa.ColumnElement[int]:
    return sa.func.sum(SPEND.c[column])


def _key(by: By) -> sa.ColumnElement[str]:
    match by:
        case "month":
            return sa.func.substr(SPEND.c.day, 1, 7)
        case "subagent":
            return SPEND.c.lane
        case "turn":
            return SPEND.c.run + " turn " + sa.cast(SPEND.c.turn, sa.Text)
        case _:
            return SPEND.c[by]
