"""Money: reserve before a model call, settle after it. A hold survives a crash and is never set free by one.

Every function that decides over a budget first locks the run's row, so that two calls never see the same
money: on SQLite the update takes the write lock, on PostgreSQL the row's.
"""

from typing import Final, Literal, TypeAlias

import msgspec
import sqlalchemy as sa

from app.domain.errors import NotFound
from app.domain.events import Refused
from app.domain.ids import RunId
from app.domain.money import Charge, Headroom, Micros
from app.store.sql import insert_once
from app.store.tables import HOLD, REFUSAL, RUN, SPEND
from app.wire import CostLine, Spend

LOST_PRICES: Final = "reservation"
"""Stands in a row's `prices` when a crash lost the call and its reservation was charged."""


class Reserved(msgspec.Struct, frozen=True):
    """The money is held."""


class Short(msgspec.Struct, frozen=True):
    """There is not that much left; nothing was held."""

    headroom: Headroom


By: TypeAlias = Literal["run", "task", "agent", "model", "day"]


def headroom(c: sa.Connection, run: RunId) -> Headroom:
    """What the run's budget still has room for; read in one statement, so that no call counts by half."""
    held, charged = _open_holds(run), _charges(run)
    query = sa.select(RUN.c.budget, held.scalar_subquery(), charged.scalar_subquery())
    row = c.execute(query.where(RUN.c.id == run)).one_or_none()
    if row is None:
        raise _no_run(run)
    budget, taken, gone = (int(number) for number in row)
    return Headroom(left=Micros(budget - gone - taken), held=Micros(taken))


def reserve(
    c: sa.Connection, *, hold: str, run: RunId, micros: int, model: str, now: float
) -> Reserved | Short:
    """Hold that much if spent, held and this stay within the budget; again under the same name is no more."""
    _lock(c, run)
    room = headroom(c, run)
    if micros <= max(0, room.left):
        insert_once(c, HOLD, id=hold, run=run, micros=micros, model=model, opened=now)
        return Reserved()
    held_before = c.execute(sa.select(HOLD.c.id).where(HOLD.c.id == hold)).scalar()
    return Short(room) if held_before is None else Reserved()


def settle(c: sa.Connection, *, hold: str, charge: Charge, now: float) -> Micros:
    """Charge what the call cost, once, and return all the run has spent.

    An unknown usage (`known="held"`) costs at least the whole hold. A cost above the hold is recorded as it is.
    """
    closed = _close(c, hold, now)
    row = c.execute(sa.select(HOLD.c.run, HOLD.c.micros).where(HOLD.c.id == hold)).fetchone()
    if row is None:
        raise NotFound(f"there is no hold {hold}", hint="Reserve before settling.")
    if closed:
        micros = max(row.micros, charge.micros) if charge.known == "held" else charge.micros
        _charge(c, hold, RunId(row.run), msgspec.structs.replace(charge, micros=micros), now)
    return spent(c, RunId(row.run))


def release(c: sa.Connection, *, hold: str, now: float) -> None:
    """Give the whole hold back: only for a call that the provider provably did not bill."""
    _close(c, hold, now)


def settle_lost(c: sa.Connection, *, now: float) -> tuple[tuple[RunId, Charge], ...]:
    """At start: charge in full every hold that a crash left open, and tell which."""
    c.execute(sa.update(HOLD).where(HOLD.c.settled.is_(None)).values(settled=HOLD.c.settled))
    rows = c.execute(sa.select(HOLD).where(HOLD.c.settled.is_(None)).order_by(HOLD.c.opened))
    lost = []
    for row in rows.fetchall():
        charge = Charge(micros=row.micros, model=row.model, known="held", prices=LOST_PRICES)
        settle(c, hold=row.id, charge=charge, now=now)
        lost.append((RunId(row.run), charge))
    return tuple(lost)


def refuse(c: sa.Connection, *, run: RunId, refused: Refused, now: float) -> None:
    """Note a model call that was not let through."""
    values = {"status": refused.status, "budget": refused.budget, "why": refused.why}
    c.execute(sa.insert(REFUSAL).values(run=run, at=now, **values))


def over_budget(c: sa.Connection, run: RunId, *, since: float) -> bool:
    """Whether a model call of the run was refused for want of money since then."""
    refused = sa.select(REFUSAL.c.number).where(
        REFUSAL.c.run == run, REFUSAL.c.budget.is_(True), REFUSAL.c.at >= since
    )
    return c.execute(refused.limit(1)).scalar() is not None


def cut_off(c: sa.Connection, run: RunId, *, since: float) -> bool:
    """Whether a model call of the run was lost since then because swarm died."""
    lost = sa.select(SPEND.c.hold).where(
        SPEND.c.run == run, SPEND.c.prices == LOST_PRICES, SPEND.c.at >= since
    )
    return c.execute(lost.limit(1)).scalar() is not None


def spent(c: sa.Connection, run: RunId) -> Micros:
    """What the run has been charged so far."""
    return Micros(int(c.execute(_charges(run)).scalar_one()))


def spend(c: sa.Connection, run: RunId) -> Spend:
    """The run's money and tokens at a glance."""
    columns = ("micros", "input", "output", "cache_read", "cache_write")
    sums = [sa.func.coalesce(sa.func.sum(SPEND.c[name]), 0) for name in columns]
    row = c.execute(sa.select(sa.func.count(), *sums).where(SPEND.c.run == run)).one()
    calls, micros, input_, output, read, written = (int(number) for number in row)
    refused = sa.select(sa.func.count()).select_from(REFUSAL).where(REFUSAL.c.run == run)
    return Spend(
        micros=Micros(micros),
        held=Micros(int(c.execute(_open_holds(run)).scalar_one())),
        calls=calls,
        refused=int(c.execute(refused).scalar_one()),
        input=input_,
        output=output,
        cache_read=read,
        cache_write=written,
    )


def costs(c: sa.Connection, by: By) -> tuple[CostLine, ...]:
    """Everything spent, grouped; the dearest first, days (of UTC) in order."""
    key = _key(c, by).label("key")
    micros = sa.func.sum(SPEND.c.micros).label("micros")
    query = (
        sa.select(
            key,
            micros,
            sa.func.count().label("calls"),
            sa.func.sum(SPEND.c.input).label("input"),
            sa.func.sum(SPEND.c.output).label("output"),
        )
        .select_from(SPEND.join(RUN, SPEND.c.run == RUN.c.id))
        .group_by(key)
        .order_by(*((key,) if by == "day" else (micros.desc(), key)))
    )
    return tuple(
        CostLine(
            key=r.key,
            micros=Micros(int(r.micros)),
            calls=r.calls,
            input=int(r.input),
            output=int(r.output),
        )
        for r in c.execute(query)
    )


def _key(c: sa.Connection, by: By) -> sa.ColumnElement[str]:
    match by:
        case "run":
            return SPEND.c.run
        case "task":
            return RUN.c.task
        case "agent":
            return RUN.c.agent
        case "model":
            return SPEND.c.model
        case "day":
            if c.dialect.name == "postgresql":
                at = sa.func.timezone("UTC", sa.func.to_timestamp(SPEND.c.at))
                return sa.func.to_char(at, "YYYY-MM-DD")
            return sa.func.strftime("%Y-%m-%d", SPEND.c.at, "unixepoch")


def _lock(c: sa.Connection, run: RunId) -> None:
    # A select alone would not do: SQLite starts the write transaction only with the first write.
    touched = c.execute(sa.update(RUN).where(RUN.c.id == run).values(budget=RUN.c.budget))
    if touched.rowcount != 1:
        raise _no_run(run)


def _open_holds(run: RunId) -> sa.Select[int]:
    total = sa.select(sa.func.coalesce(sa.func.sum(HOLD.c.micros), 0))
    return total.where(HOLD.c.run == run, HOLD.c.settled.is_(None))


def _charges(run: RunId) -> sa.Select[int]:
    return sa.select(sa.func.coalesce(sa.func.sum(SPEND.c.micros), 0)).where(SPEND.c.run == run)


def _close(c: sa.Connection, hold: str, now: float) -> bool:
    """Close an open hold; whether this call closed it."""
    still_open = sa.update(HOLD).where(HOLD.c.id == hold, HOLD.c.settled.is_(None))
    return c.execute(still_open.values(settled=now)).rowcount == 1


def _charge(c: sa.Connection, hold: str, run: RunId, charge: Charge, now: float) -> None:
    insert_once(c, SPEND, hold=hold, run=run, at=now, **msgspec.structs.asdict(charge))


def _no_run(run: RunId) -> NotFound:
    return NotFound(f"there is no run {run} to spend for", hint="`swarm ps` lists them.")
