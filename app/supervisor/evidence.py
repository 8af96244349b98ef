"""Why a run is in its state: the evidence, who says so and when, and the commands that make sense now."""

from collections.abc import Iterator

import sqlalchemy as sa

from app.domain.events import Checked, Event, Flagged
from app.domain.ids import RunId
from app.domain.money import Micros, dollars
from app.domain.review import Approval, Review, Verdict
from app.domain.run import ACTIVE, Run, RunState
from app.domain.task import Task
from app.store import event_log, hosts, ledger, rests, reviews, tasks, turns
from app.store.turns import UNTENDED, Turn
from app.supervisor.services import Services
from app.wire import Fact, Why


async def why(s: Services, run_id: RunId) -> Why:
    """The state of a run with what swarm itself knows about it; what the agent claims is marked as that."""
    task, run = await s.task_and_run(run_id)
    told = await s.database.read_log(_told, run_id)
    return await s.database.read(why_of, task, run, told, s.clock())


def _told(c: sa.Connection, run: RunId) -> list[Event]:
    return [each for tag in ("checked", "flagged") for each in event_log.of_type(c, run, tag)]


def why_of(c: sa.Connection, task: Task, run: Run, told: list[Event], now: float) -> Why:
    """The same from the tables and those events of the log that checks and monitors have written."""
    waiting = [each for each in reviews.approvals_of(c, run.id) if each.answer is None]
    known = turns.turns_of(c, run.id)
    evidence = (
        *_ground(c, task, run),
        *(_turn(turn) for turn in known),
        *(_question(each) for each in waiting),
        *_checks(c, run.id, told),
        _spend(c, run),
        *_flags(told),
        *_rest(c, run.id, now),
        *_activity(c, run.id),
    )
    return Why(
        run=run.id,
        state=run.state,
        reason=run.reason,
        now=now,
        evidence=evidence,
        next=_next(c, run, waiting, known),
    )


def _ground(c: sa.Connection, task: Task, run: Run) -> Iterator[Fact]:
    by = f"runs {run.agent} ({run.harness}, {run.model}) in a {run.sandbox} sandbox"
    yield Fact(what=by, seen=run.created)
    if run.host and (host := hosts.known(c, run.host)):
        yield Fact(what=f"on the host {host.name}", source="host", seen=host.beat)
    base = f"started from {run.base[:12] or task.base}, to land on {task.target}"
    yield Fact(what=base, seen=run.started or run.created)


def _turn(turn: Turn) -> Fact:
    if turn.ended is None:
        return Fact(what=f"turn {turn.number} is running", seen=turn.began)
    if turn.exit_reason == UNTENDED:
        what = f"turn {turn.number}: how it ended is not known"
        return Fact(what=what, seen=turn.ended, certainty="guessed")
    code = "" if turn.exit_code is None else f" with {turn.exit_code}"
    how = turn.stop_reason or f"{turn.exit_reason}{code}"
    what = f"turn {turn.number} ended: {how}" + (f" - {turn.error}" if turn.error else "")
    if turn.stop_reason:
        return Fact(what=what, source="agent", seen=turn.ended, certainty="claimed")
    lost = turn.exit_reason == hosts.HOST_LOST
    return Fact(what=what, source="host" if lost else "sandbox", seen=turn.ended)


def _question(asked: Approval) -> Fact:
    what = f"asks: {asked.title} ({asked.id})"
    if asked.own:
        return Fact(what=what, seen=asked.opened)
    return Fact(what=what, source="agent", seen=asked.opened, certainty="claimed")


def _checks(c: sa.Connection, run: RunId, told: list[Event]) -> Iterator[Fact]:
    ended = {
        (event.body.turn, event.body.result.command): event.at
        for event in told
        if isinstance(event.body, Checked)
    }
    newest = max((turn for turn, _ in ended), default=0)
    for result in turns.checks_of(c, run):
        what = f"check {result.command!r} {'passed' if result.passed else 'failed'}"
        yield Fact(what=what, source="check", seen=ended.get((newest, result.command)))


def _spend(c: sa.Connection, run: Run) -> Fact:
    spend = ledger.spend(c, run.id)
    refused = f", {spend.refused} calls refused" if spend.refused else ""
    what = f"spent {dollars(spend.micros)} of {dollars(run.budget)} in {spend.calls} calls{refused}"
    if ledger.guessed(c, run.id):
        return Fact(what=f"{what}; at most", source="gateway", certainty="guessed")
    return Fact(what=what, source="gateway")


def _flags(told: list[Event]) -> Iterator[Fact]:
    for event in told:
        if isinstance(event.body, Flagged):
            words = event.body.words()
            yield Fact(what=words, source="monitor", seen=event.at, certainty="guessed")


def _rest(c: sa.Connection, run: RunId, now: float) -> Iterator[Fact]:
    until = rests.until(c, run)
    if until is not None:
        upstream = rests.upstream(c, run)
        once = f", once {upstream} answers" if upstream else ""
        yield Fact(what=f"goes on by itself in {max(0.0, until - now):.0f} s{once}")


def _activity(c: sa.Connection, run: RunId) -> Iterator[Fact]:
    did: str = tasks.column(c, run, "activity")
    at: float | None = tasks.column(c, run, "activity_at")
    if did and at:
        yield Fact(what=f"last seen: {did}", source="agent", seen=at, certainty="claimed")


def _next(
    c: sa.Connection, run: Run, waiting: list[Approval], known: tuple[Turn, ...]
) -> tuple[str, ...]:
    id_ = run.id
    if waiting:
        yes = f"swarm answer {waiting[0].id} yes"
        return ("swarm inbox", yes, f"swarm answer {waiting[0].id} no", *_stop(run))
    match run.state:
        case RunState.IN_REVIEW:
            return _reviewed(c, run)
        case RunState.PARKED | RunState.FAILED | RunState.CANCELLED:
            return (_resume(run, known), f"swarm retry {id_}", f"swarm discard {id_}")
        case RunState.MERGED:
            return (f"swarm undo {id_}",)
        case RunState.DISCARDED:
            return (f"swarm restore {id_}",)
        case _:
            return (f"swarm logs {id_} -f", *_stop(run))


def _stop(run: Run) -> tuple[str, ...]:
    """What lands cannot be stopped, and what rests need not be."""
    stoppable = run.state in ACTIVE - {RunState.MERGING}
    return (f"swarm stop {run.id}",) if stoppable else ()


def _reviewed(c: sa.Connection, run: Run) -> tuple[str, ...]:
    looked_at: Review = reviews.newest_review(c, run.id)
    approved = looked_at.verdict == Verdict.APPROVE
    land = f"swarm merge {run.id}" if approved else f"swarm approve {run.id}"
    return (f"swarm diff {run.id}", land, f'swarm changes {run.id} "…"')


def _resume(run: Run, known: tuple[Turn, ...]) -> str:
    """With more money where it ran out of that: without it, it is refused."""
    if not (known and known[-1].over_budget):
        return f"swarm resume {run.id}"
    return f"swarm resume {run.id} --budget {Micros(run.budget * 2) / 1e6:.2f}"
