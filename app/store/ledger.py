"""Money: reserve before a model call, settle after it. A hold survives a crash and is never set free by one.

Whoever decides over a budget first locks the rows of all that are counted, so that two calls never see the same
money: on SQLite any write takes the one lock, on PostgreSQL the rows'.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from app.domain.budget import (
    Account,
    Ceilings,
    Claim,
    Headroom,
    Passed,
    Tally,
    chain,
    day_of,
    headroom,
)
from app.domain.errors import NotFound
from app.domain.events import Refused
from app.domain.ids import RunId
from app.domain.money import Charge, Micros
from app.store import budgets
from app.store.budgets import NO_CEILINGS
from app.store.sql import insert_once
from app.store.tables import APPROVAL, HOLD, REFUSAL, SPEND
from app.store.tables import RAISE as RAISES
from app.wire import Spend

LOST_PRICES: Final = "reservation"
"""Stands in a row's `prices` when a crash lost the call and its reservation was charged."""
LONGEST_CALL: Final = 6 * 3600.0
"""Seconds after which another host may charge a hold whose supervisor is gone."""


class Caller(NamedTuple):
    """Which call it is, besides its run."""

    hold: str
    model: str
    lane: str = ""
    """The sub-agent that makes it; empty for the agent itself."""
    host: str = ""


# Made once: building and hashing a statement costs more than carrying it out, and every model call does both.
_OPEN: Final = sa.insert(HOLD)
_HOLD: Final = sa.select(HOLD).where(HOLD.c.id == sa.bindparam("hold"))
_CLOSE: Final = (
    sa.update(HOLD)
    .where(HOLD.c.id == sa.bindparam("hold"), HOLD.c.settled.is_(None))
    .values(settled=sa.bindparam("now"))
)
_NOTHING: Final = Tally(key="")


class Settled(NamedTuple):
    """A call that was charged."""

    total: Micros
    """All the run has spent."""
    day: Micros
    """All that was spent on the day the call counts against."""
    passed: tuple[Passed, ...]
    """Budgets that have come near their limits by it."""


def reserve(
    c: sa.Connection,
    run: RunId,
    caller: Caller,
    plan: Callable[[Headroom], Claim | None],
    *,
    now: float,
    ceilings: Ceilings = NO_CEILINGS,
) -> Claim | Headroom:
    """Hold what the call may use at most, against every budget of the chain, all or nothing.

    `plan` says what that is for what is left, or that it is too little; then the headroom is the answer. It must
    be pure and quick: it is asked inside the transaction.
    """
    who = budgets.account(c, run)
    caps = chain(who, ceilings, day_of(now))
    names = budgets.keys(caps)
    have = budgets.tallies(c, names, lock=True)
    if not budgets.alone(c):
        # The one number that people change meanwhile, read again under the lock.
        who = msgspec.structs.replace(who, budget=budgets.budget_of(c, run))
    room = headroom(chain(who, ceilings, day_of(now)), have, who.limits.request)
    claim = plan(room)
    if claim is None or not _fits(claim, room):
        return room
    hold = {
        "id": caller.hold,
        "run": run,
        "micros": claim.micros,
        "tokens": claim.tokens,
        "model": caller.model,
        "lane": caller.lane,
        "turn": who.turn,
        "tallies": names,
        "host": caller.host,
        "opened": now,
        "deadline": now + LONGEST_CALL,
    }
    c.execute(_OPEN, hold)
    budgets.count(c, have, held=claim.micros, tokens_held=claim.tokens)
    return claim


def reserve_anew(
    c: sa.Connection,
    run: RunId,
    caller: Caller,
    plan: Callable[[Headroom], Claim | None],
    *,
    now: float,
    ceilings: Ceilings = NO_CEILINGS,
) -> Claim | Headroom:
    """The same when it was said before and nobody heard the answer: what is held already is not held twice."""
    row = c.execute(_HOLD, {"hold": caller.hold}).one_or_none()
    if row is not None:
        have = budgets.tallies(c, row.tallies, lock=True)
        budgets.count(c, have, held=-row.micros, tokens_held=-row.tokens)
        c.execute(sa.delete(HOLD).where(HOLD.c.id == caller.hold))
    return reserve(c, run, caller, plan, now=now, ceilings=ceilings)


def _fits(claim: Claim, room: Headroom) -> bool:
    """Whatever the plan said: what costs nothing fits always, all else only into what is left."""
    tokens = room.tokens is None or claim.tokens <= max(0, room.tokens.left)
    return claim.micros <= max(0, room.money.left) and tokens


def settle(
    c: sa.Connection,
    *,
    hold: str,
    charge: Charge,
    now: float,
    ceilings: Ceilings = NO_CEILINGS,
) -> Settled:
    """Charge what the call cost, once.

    An unknown usage (`known="held"`) costs at least the whole hold. A cost above the hold is recorded as it is.
    """
    row = _hold(c, hold)
    run = RunId(row.run)
    have = budgets.tallies(c, row.tallies, lock=True)
    if not _close(c, row, now):
        return _settled(run, have, ())
    unknown = charge.known == "held"
    micros = Micros(max(row.micros, charge.micros)) if unknown else charge.micros
    used = charge.input + charge.output + charge.cache_read + charge.cache_write
    tokens = max(row.tokens, used) if unknown else used
    who = budgets.account(c, run)
    _charge(c, row, who, msgspec.structs.replace(charge, micros=micros), now)
    freed = {"held": -row.micros, "tokens_held": -row.tokens}
    have = budgets.count(c, have, spent=micros, tokens=tokens, **freed)
    return _settled(run, have, budgets.warn(c, who, ceilings, have, now))


def _settled(run: RunId, have: Mapping[str, Tally], passed: tuple[Passed, ...]) -> Settled:
    of_run = have.get(f"run/{run}", _NOTHING)
    of_day = next((tally for key, tally in have.items() if key.startswith("day/")), _NOTHING)
    return Settled(of_run.spent, of_day.spent, passed)


def release(c: sa.Connection, *, hold: str, now: float) -> None:
    """Give the whole hold back: only for a call that the provider provably did not bill."""
    row = _hold(c, hold)
    have = budgets.tallies(c, row.tallies, lock=True)
    if _close(c, row, now):
        budgets.count(c, have, held=-row.micros, tokens_held=-row.tokens)


def settle_lost(
    c: sa.Connection, *, now: float, host: str = "", ceilings: Ceilings = NO_CEILINGS
) -> tuple[tuple[RunId, Charge], ...]:
    """At start: charge in full every hold that a crash of this host left open, and tell which.

    Those of another host are under way there, unless their deadline has passed.
    """
    mine = sa.or_(HOLD.c.host.in_(("", host)), HOLD.c.deadline < now)
    rows = c.execute(
        sa.select(HOLD).where(HOLD.c.settled.is_(None), mine).order_by(HOLD.c.opened, HOLD.c.id)
    )
    lost = []
    for row in rows.fetchall():
        charge = Charge(micros=row.micros, model=row.model, known="held", prices=LOST_PRICES)
        settle(c, hold=row.id, charge=charge, now=now, ceilings=ceilings)
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


def limit_hit(c: sa.Connection, run: RunId, *, since: float) -> str:
    """Which limit the run ran into last since then, in words; empty when it ran into none."""
    refused = sa.select(REFUSAL.c.why).where(
        REFUSAL.c.run == run, REFUSAL.c.budget.is_(True), REFUSAL.c.at >= since
    )
    last = c.execute(refused.order_by(REFUSAL.c.number.desc()).limit(1)).scalar()
    return (last or "").removeprefix("swarm: ")


def cut_off(c: sa.Connection, run: RunId, *, since: float) -> bool:
    """Whether a model call of the run was lost since then because swarm died."""
    lost = sa.select(SPEND.c.hold).where(
        SPEND.c.run == run, SPEND.c.prices == LOST_PRICES, SPEND.c.at >= since
    )
    return c.execute(lost.limit(1)).scalar() is not None or _unheard_raise(c, run, since)


def _unheard_raise(c: sa.Connection, run: RunId, since: float) -> bool:
    """Whether the budget was raised since then for a call that was gone already, so that nothing came of it."""
    for_calls = sa.select(RAISES.c.approval).where(RAISES.c.seconds == 0)
    raised = sa.select(sa.func.max(APPROVAL.c.answered)).where(
        APPROVAL.c.run == run,
        APPROVAL.c.id.in_(for_calls),
        APPROVAL.c.answer == "yes",
        APPROVAL.c.opened >= since,
    )
    if (at := c.execute(raised).scalar()) is None:
        return False
    later = sa.select(HOLD.c.id).where(HOLD.c.run == run, HOLD.c.opened >= at)
    return c.execute(later.limit(1)).scalar() is None


def spend(c: sa.Connection, run: RunId) -> Spend:
    """The run's money and tokens at a glance."""
    columns = ("micros", "input", "output", "cache_read", "cache_write")
    sums = [sa.func.coalesce(sa.func.sum(SPEND.c[name]), 0) for name in columns]
    row = c.execute(sa.select(sa.func.count(), *sums).where(SPEND.c.run == run)).one()
    calls, micros, input_, output, read, written = (int(number) for number in row)
    refused = sa.select(sa.func.count()).select_from(REFUSAL).where(REFUSAL.c.run == run)
    held = sa.select(sa.func.coalesce(sa.func.sum(HOLD.c.micros), 0))
    still_open = held.where(HOLD.c.run == run, HOLD.c.settled.is_(None))
    return Spend(
        micros=Micros(micros),
        held=Micros(int(c.execute(still_open).scalar_one())),
        calls=calls,
        refused=int(c.execute(refused).scalar_one()),
        input=input_,
        output=output,
        cache_read=read,
        cache_write=written,
    )


def guessed(c: sa.Connection, run: RunId) -> bool:
    """Whether some of what the run was charged is only what it can have cost at most."""
    some = sa.select(SPEND.c.hold).where(
        SPEND.c.run == run, SPEND.c.known.in_(("estimated", "held"))
    )
    return c.execute(some.limit(1)).scalar() is not None


def _hold(c: sa.Connection, hold: str) -> sa.Row[Any]:
    row = c.execute(_HOLD, {"hold": hold}).one_or_none()
    if row is None:
        raise NotFound(f"there is no hold {hold}", hint="Reserve before settling.")
    return row


def _close(c: sa.Connection, row: sa.Row[Any], now: float) -> bool:
    """Mark an open hold as closed; whether this call did."""
    return c.execute(_CLOSE, {"hold": row.id, "now": now}).rowcount == 1


def _charge(c: sa.Connection, row: sa.Row[Any], who: Account, charge: Charge, now: float) -> None:
    insert_once(
        c,
        SPEND,
        hold=row.id,
        at=now,
        seconds=max(0.0, now - row.opened),
        day=day_of(row.opened),
        run=who.run,
        task=who.task,
        turn=row.turn,
        lane=row.lane,
        agent=who.agent,
        repo=who.repo,
        user=who.user,
        label=who.label,
        flow=who.flow,
        **msgspec.structs.asdict(charge),
    )
