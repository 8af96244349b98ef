"""The chain of caps in the tables: who spends, what has been counted, raising a cap, and near limits told once."""

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import sqlalchemy as sa
from msgspec.structs import replace

from app.domain.budget import (
    Account,
    Cap,
    Ceilings,
    Headroom,
    Passed,
    Raise,
    Tally,
    chain,
    crossed,
    day_of,
    headroom,
)
from app.domain.errors import NotFound
from app.domain.ids import ApprovalId, RunId
from app.domain.money import Micros
from app.store.sql import insert_once, plain, value
from app.store.tables import RAISE, RUN, TALLY, TASK, TURN, WARNING

NO_CEILINGS: Final = Ceilings()

# Made once: building and hashing a statement costs more than carrying it out, and every model call does both.
_TURN: Final = sa.select(sa.func.coalesce(sa.func.max(TURN.c.number), 0)).where(
    TURN.c.run == sa.bindparam("run_")
)
_ACCOUNT: Final[sa.Select[Any]] = (
    sa.select(
        RUN.c.id.label("run"),
        RUN.c.task,
        RUN.c.agent,
        RUN.c.budget,
        TASK.c.repo,
        TASK.c.submitter.label("user"),
        TASK.c.label,
        TASK.c.flow,
        TASK.c.limits,
        _TURN.scalar_subquery().label("turn"),
    )
    .join(TASK, TASK.c.id == RUN.c.task)
    .where(RUN.c.id == sa.bindparam("run_"))
)
_COUNTED: Final = ("spent", "held", "tokens", "tokens_held")
_BUDGET: Final = sa.select(RUN.c.budget).where(RUN.c.id == sa.bindparam("run_"))


def _these(names: int) -> sa.ColumnElement[bool]:
    """A list of that length, not one of any length, which is written anew each time."""
    return TALLY.c.key.in_([sa.bindparam(f"key_{number}") for number in range(names)])


@functools.cache
def _tallies(names: int) -> sa.Select[Any]:
    return sa.select(TALLY).where(_these(names)).order_by(TALLY.c.key)


@functools.cache
def _addition(names: int) -> sa.Update:
    added = {name: TALLY.c[name] + sa.bindparam(f"by_{name}") for name in _COUNTED}
    return sa.update(TALLY).where(_these(names)).values(added)


def _named(names: Iterable[str]) -> dict[str, str]:
    return {f"key_{number}": name for number, name in enumerate(sorted(names))}


def alone(c: sa.Connection) -> bool:
    """Whether nobody can change anything until this transaction ends: on SQLite, once it has truly begun."""
    return c.dialect.name == "sqlite" and bool(
        getattr(c.connection.dbapi_connection, "in_transaction", False)
    )


def account(c: sa.Connection, run: RunId) -> Account:
    """Who the run's calls are charged to."""
    row = c.execute(_ACCOUNT, {"run_": run}).one_or_none()
    if row is None:
        raise NotFound(f"there is no run {run} to spend for", hint="`swarm ps` lists them.")
    return value(row, Account)


def budget_of(c: sa.Connection, run: RunId) -> Micros:
    """The run's own cap as it is now."""
    return Micros(int(c.execute(_BUDGET, {"run_": run}).scalar_one()))


def room(c: sa.Connection, run: RunId, now: float, ceilings: Ceilings = NO_CEILINGS) -> Headroom:
    """What the run may still use, over every budget it counts against."""
    who = account(c, run)
    caps = chain(who, ceilings, day_of(now))
    return headroom(caps, tallies(c, keys(caps)), who.limits.request)


def keys(caps: Iterable[Cap]) -> list[str]:
    return [cap.key for cap in caps]


def tallies(c: sa.Connection, wanted: Iterable[str], *, lock: bool = False) -> dict[str, Tally]:
    """What was counted under these keys. With `lock`, nobody else can count under them in the meantime."""
    names = sorted(wanted)
    if lock and not alone(c):
        # Always in the order of the keys, so that two hosts never wait for each other.
        _made(c, names)
        return _read(c, _tallies(len(names)).with_for_update(), names)
    have = _read(c, _tallies(len(names)), names)
    return have | _made(c, [name for name in names if name not in have]) if lock else have


def _read(c: sa.Connection, query: sa.Select[Any], names: list[str]) -> dict[str, Tally]:
    return {row.key: value(row, Tally) for row in c.execute(query, _named(names))}


def _made(c: sa.Connection, names: list[str]) -> dict[str, Tally]:
    """Rows of those that have none yet, which could not be locked."""
    for name in names:
        insert_once(c, TALLY, key=name)
    return {name: Tally(key=name) for name in names}


def count(
    c: sa.Connection,
    have: Mapping[str, Tally],
    *,
    spent: int = 0,
    held: int = 0,
    tokens: int = 0,
    tokens_held: int = 0,
) -> dict[str, Tally]:
    """Add to every one of these, which are locked; how they stand then."""
    changes = dict(zip(_COUNTED, (spent, held, tokens, tokens_held), strict=True))
    if any(changes.values()):
        added = {f"by_{name}": by for name, by in changes.items()}
        c.execute(_addition(len(have)), _named(have) | added)
    return {
        key: replace(tally, **{name: getattr(tally, name) + by for name, by in changes.items()})
        for key, tally in have.items()
    }


def warn(
    c: sa.Connection, who: Account, ceilings: Ceilings, have: Mapping[str, Tally], now: float
) -> tuple[Passed, ...]:
    """The thresholds that have been passed for the first time, as these stand."""
    if not who.limits.warn:
        return ()
    # The day is that of the keys, not of now: a call may end after midnight.
    day = next((name.removeprefix("day/") for name in have if name.startswith("day/")), "")
    return tuple(
        found
        for cap in chain(who, ceilings, day or day_of(now))
        if (cap.micros is not None or cap.tokens is not None) and (tally := have.get(cap.key))
        for found in _passed(c, who, cap, tally, now)
    )


def _passed(c: sa.Connection, who: Account, cap: Cap, tally: Tally, now: float) -> Iterator[Passed]:
    fresh = Passed(tally=cap.key, percent=0, run=who.run, at=now, of=cap.of, spent=0, cap=0)
    units = (
        replace(fresh, spent=tally.spent, cap=_raised(cap.micros, tally.raised)),
        replace(
            fresh,
            tally=f"{cap.key}/tokens",
            spent=tally.tokens,
            cap=_raised(cap.tokens, tally.tokens_raised),
            unit="tokens",
        ),
    )
    for each in units:
        for percent in crossed(each.cap, each.spent, who.limits.warn) if each.cap > 0 else ():
            found = replace(each, percent=percent)
            if note_passed(c, found):
                yield found


def note_passed(c: sa.Connection, found: Passed) -> bool:
    """Keep that a threshold was passed; False when that was known."""
    return insert_once(c, WARNING, **plain(found))


def _raised(limit: int | None, by: int) -> int:
    """The limit as it is now; 0 where there is none."""
    return 0 if limit is None else limit + by


def warnings_since(c: sa.Connection, at: float) -> tuple[Passed, ...]:
    """What was passed since then, to be told again after a crash."""
    rows = c.execute(sa.select(WARNING).where(WARNING.c.at >= at).order_by(WARNING.c.at))
    return tuple(value(row, Passed) for row in rows)


def ask_raise(c: sa.Connection, wanted: Raise) -> None:
    """Note how much more a question asks for; again changes nothing."""
    insert_once(
        c,
        RAISE,
        approval=wanted.approval,
        tally=wanted.tally,
        of=wanted.of,
        micros=wanted.micros,
        tokens=wanted.tokens,
        seconds=wanted.seconds,
    )


def raise_of(c: sa.Connection, approval: ApprovalId) -> Raise | None:
    """What a question asks for; None when it is no question about a budget."""
    row = c.execute(sa.select(RAISE).where(RAISE.c.approval == approval)).one_or_none()
    return None if row is None else value(row, Raise)


def grant(c: sa.Connection, wanted: Raise, *, run: RunId) -> None:
    """Give that much more. A run's own money stands in its row, time in the question; all else in its tally."""
    given = sa.update(RAISE).where(RAISE.c.approval == wanted.approval)
    c.execute(given.values(seconds_given=wanted.seconds))
    tallies(c, [wanted.tally], lock=True)
    if wanted.tally == f"run/{run}":
        more = sa.update(RUN).where(RUN.c.id == run)
        c.execute(more.values(budget=RUN.c.budget + wanted.micros))
        raised = {"tokens_raised": TALLY.c.tokens_raised + wanted.tokens}
    else:
        raised = {
            "raised": TALLY.c.raised + wanted.micros,
            "tokens_raised": TALLY.c.tokens_raised + wanted.tokens,
        }
    c.execute(sa.update(TALLY).where(TALLY.c.key == wanted.tally).values(**raised))
