"""Routes, how runs came to rest, and what became of them."""

from typing import Any, Final

import msgspec
import sqlalchemy as sa

from app.domain.ids import RunId, TaskId
from app.domain.money import Micros
from app.domain.review import Verdict
from app.domain.route import Ended, Outcome, Route
from app.domain.run import ACTIVE, Run, RunState
from app.store.sql import insert_once, plain, value
from app.store.tables import AUDIT, OUTCOME, REVIEW, ROUTE, RUN, RUN_END, SPEND, TASK
from policies.breaker import EndCause
from policies.learning import Worth

_JUDGED: Final = (RunState.MERGED, RunState.DISCARDED, RunState.FAILED)
"""States that say what a run was worth."""


def add(c: sa.Connection, route: Route) -> bool:
    chosen = route.chosen
    return insert_once(
        c,
        ROUTE,
        run=route.run,
        at=route.at,
        target=route.target,
        account=chosen.account,
        kind=route.kind,
        body=msgspec.to_builtins(route),
    )


def route(c: sa.Connection, run: RunId) -> Route | None:
    """The run's route; None for a run of a version that knew no routes."""

    body = c.execute(sa.select(ROUTE.c.body).where(ROUTE.c.run == run)).scalar()
    return None if body is None else msgspec.convert(body, Route)


def routes_of(c: sa.Connection, task: TaskId) -> tuple[Route, ...]:
    """The routes of a task's runs, oldest first."""

    query = sa.select(ROUTE.c.body).join(RUN, RUN.c.id == ROUTE.c.run).where(RUN.c.task == task)
    found = c.execute(query.order_by(RUN.c.number)).scalars()
    return tuple(msgspec.convert(body, Route) for body in found)


def newest(c: sa.Connection, limit: int) -> tuple[Route, ...]:
    """The last routes, the newest first."""

    query = sa.select(ROUTE.c.body).order_by(ROUTE.c.at.desc()).limit(limit)
    return tuple(msgspec.convert(body, Route) for body in c.execute(query).scalars())


def end(c: sa.Connection, run: Run, cause: EndCause, at: float) -> bool:
    """Note why the run's round came to rest; again it changes nothing."""
    return insert_once(c, RUN_END, run=run.id, round=run.round, at=at, cause=cause)


def ends_since(c: sa.Connection, since: float) -> tuple[Ended, ...]:
    """Runs that were routed, or came to rest, since then: their target and how they ended."""
    query: sa.Select[Any] = (
        sa.select(
            ROUTE.c.run,
            ROUTE.c.target,
            ROUTE.c.account,
            ROUTE.c.at.label("began"),
            RUN_END.c.at.label("ended"),
            RUN_END.c.cause,
        )
        .join(RUN, RUN.c.id == ROUTE.c.run)
        .outerjoin(RUN_END, _last_round())
        .where(sa.or_(ROUTE.c.at >= since, RUN_END.c.at >= since))
        .order_by(ROUTE.c.at)
    )
    return tuple(value(row, Ended) for row in c.execute(query))


def at_work(c: sa.Connection) -> tuple[tuple[str, str], ...]:
    """Agent and model provider of each run that is at work or on its way to it."""
    busy = [str(state) for state in ACTIVE - {RunState.MERGING}]
    query = sa.select(RUN.c.agent, sa.func.coalesce(ROUTE.c.account, ""))
    rows = c.execute(query.outerjoin(ROUTE, ROUTE.c.run == RUN.c.id).where(RUN.c.state.in_(busy)))
    return tuple((agent, account) for agent, account in rows)


def at_work_before(c: sa.Connection, run: Run) -> tuple[tuple[str, str], ...]:
    """The same, of those that have begun and those that were there before that run."""
    busy = [str(state) for state in ACTIVE - {RunState.MERGING}]
    first = sa.or_(
        RUN.c.state != str(RunState.QUEUED),
        RUN.c.created < run.created,
        sa.and_(RUN.c.created == run.created, RUN.c.id < run.id),
    )
    query = sa.select(RUN.c.agent, sa.func.coalesce(ROUTE.c.account, ""))
    rows = c.execute(
        query.outerjoin(ROUTE, ROUTE.c.run == RUN.c.id).where(
            RUN.c.state.in_(busy), RUN.c.id != run.id, first
        )
    )
    return tuple((agent, account) for agent, account in rows)


def cause_of(c: sa.Connection, run: Run) -> EndCause | None:
    """Why the run's round came to rest, if it has."""
    query = sa.select(RUN_END.c.cause).where(RUN_END.c.run == run.id, RUN_END.c.round == run.round)
    found: EndCause | None = c.execute(query).scalar()
    return found


def collect(c: sa.Connection) -> int:
    """Bring the outcomes up to date with the states of the runs; how many were judged.

    Read off what is there, so that none is missed, whatever died in between.
    """
    judged = _judged().subquery()
    stale = sa.or_(OUTCOME.c.run.is_(None), OUTCOME.c.state != judged.c.state)
    query: sa.Select[Any] = sa.select(judged).outerjoin(OUTCOME, OUTCOME.c.run == judged.c.run)
    rows = [row for row in c.execute(query.where(stale)).fetchall() if _worth(row)]
    for row in rows:
        c.execute(sa.delete(OUTCOME).where(OUTCOME.c.run == row.run))
        c.execute(sa.insert(OUTCOME).values(**_outcome(row), state=row.state))
    return len(rows)


def _judged() -> sa.Select[Any]:
    """Runs whose state says what they were worth, with all that an outcome tells."""
    other = RUN.alias()
    undone = sa.exists().where(AUDIT.c.run == RUN.c.id, AUDIT.c.what == "undone")
    beaten = sa.and_(
        RUN.c.state == str(RunState.IN_REVIEW),
        sa.exists().where(other.c.task == RUN.c.task, other.c.state == str(RunState.MERGED)),
    )
    spent = sa.func.coalesce(sa.func.sum(SPEND.c.micros), 0)
    micros = sa.select(sa.cast(spent, sa.BigInteger)).where(SPEND.c.run == RUN.c.id)
    sent_back = sa.select(sa.func.count()).where(
        REVIEW.c.run == RUN.c.id, REVIEW.c.verdict == str(Verdict.CHANGES)
    )
    return (
        sa.select(
            ROUTE.c.run,
            ROUTE.c.target,
            ROUTE.c.kind,
            TASK.c.repo,
            RUN.c.started,
            RUN.c.created,
            RUN.c.ended,
            RUN_END.c.at,
            RUN_END.c.cause,
            sa.case((undone, "undone"), (beaten, "beaten"), else_=RUN.c.state).label("state"),
            micros.scalar_subquery().label("micros"),
            sent_back.scalar_subquery().label("sent_back"),
        )
        .join(RUN, RUN.c.id == ROUTE.c.run)
        .join(TASK, TASK.c.id == RUN.c.task)
        .outerjoin(RUN_END, _last_round())
        .where(sa.or_(RUN.c.state.in_([str(each) for each in _JUDGED]), beaten))
    )


def _last_round() -> sa.ColumnElement[bool]:
    return sa.and_(RUN_END.c.run == RUN.c.id, RUN_END.c.round == RUN.c.round)


def _outcome(row: sa.Row[Any]) -> dict[str, Any]:
    ended = row.ended or row.at or row.created
    found: dict[str, Any] = plain(
        Outcome(
            run=row.run,
            target=row.target,
            repo=row.repo,
            kind=row.kind,
            worth=_worth(row) or "rejected",
            micros=Micros(int(row.micros)),
            seconds=max(0.0, ended - (row.started or row.created)),
            at=ended,
        )
    )
    return found


def _worth(row: sa.Row[Any]) -> Worth | None:
    """What people made of it; None when its end says nothing about who did the work."""
    match row.state:
        case "merged":
            return "reworked" if row.sent_back else "accepted"
        case "undone" | "discarded" | "beaten":
            return "rejected"
        case _:
            return None if row.cause in (None, "setup", "stopped") else "rejected"


def outcomes(c: sa.Connection) -> tuple[Outcome, ...]:
    """All that is known, oldest first."""
    columns = [OUTCOME.c[name] for name in Outcome.__struct_fields__]
    query = sa.select(*columns).order_by(OUTCOME.c.at, OUTCOME.c.run)
    return tuple(value(row, Outcome) for row in c.execute(query))
