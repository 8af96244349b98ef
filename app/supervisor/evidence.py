"""Why a run is in its state: the evidence, and the commands that make sense now."""

from app.domain.events import Flagged
from app.domain.ids import RunId
from app.domain.money import dollars
from app.domain.review import CheckResult
from app.domain.run import Run, RunState
from app.store import event_log, hosts, ledger, reviews, tasks, turns
from app.store.turns import UNTENDED, Turn
from app.supervisor.services import Services
from app.wire import Spend, Why


async def why(s: Services, run_id: RunId) -> Why:
    """The state of a run with what swarm itself knows about it; nothing the agent claims."""
    task, run = await s.task_and_run(run_id)
    read = s.database.read
    known = await read(turns.turns_of, run_id)
    spend = await read(ledger.spend, run_id)
    waiting = [a for a in await read(reviews.approvals_of, run_id) if a.answer is None]
    activity = await read(tasks.column, run_id, "activity")
    at = await read(tasks.column, run_id, "activity_at")
    evidence = [
        f"runs {run.agent} ({run.harness}, {run.model}) in a {run.sandbox} sandbox",
        *([f"on the host {await read(hosts.name_of, run.host)}"] if run.host else ()),
        f"started from {run.base[:12] or task.base}, to land on {task.target}",
        *(_turn(turn) for turn in known),
        *(f"asks: {question.title} ({question.id})" for question in waiting),
        *_checks(await read(turns.checks_of, run_id)),
        _spend(run, spend),
        *await _flags(s, run_id),
    ]
    if activity and at:
        evidence.append(f"last seen {max(0, round(s.clock() - at))} s ago: {activity}")
    return Why(
        run=run_id,
        state=run.state,
        reason=run.reason,
        evidence=tuple(evidence),
        next=_next(run, bool(waiting)),
    )


def _turn(turn: Turn) -> str:
    if turn.ended is None:
        return f"turn {turn.number} is running"
    if turn.exit_reason == UNTENDED:
        return f"turn {turn.number}: how it ended is not known"
    how = turn.stop_reason or f"{turn.exit_reason} with {turn.exit_code}"
    return f"turn {turn.number} ended: {how}" + (f" - {turn.error}" if turn.error else "")


def _checks(results: tuple[CheckResult, ...]) -> list[str]:
    return [
        f"check {result.command!r} {'passed' if result.passed else 'failed'}" for result in results
    ]


async def _flags(s: Services, run: RunId) -> list[str]:
    """What monitors have found."""
    found = await s.database.read_log(event_log.of_type, run, "flagged")
    return [event.body.words() for event in found if isinstance(event.body, Flagged)]


def _spend(run: Run, spend: Spend) -> str:
    refused = f", {spend.refused} calls refused" if spend.refused else ""
    return f"spent {dollars(spend.micros)} of {dollars(run.budget)} in {spend.calls} calls{refused}"


def _next(run: Run, asked: bool) -> tuple[str, ...]:  # noqa: FBT001 - one private caller
    id_ = run.id
    if asked:
        return ("swarm inbox", f"swarm answer {id_}-a1 yes", f"swarm stop {id_}")
    match run.state:
        case RunState.IN_REVIEW:
            return (f"swarm diff {id_}", f"swarm approve {id_}", f'swarm changes {id_} "…"')
        case RunState.PARKED:
            return (f"swarm resume {id_} --budget 2.00", f"swarm discard {id_}")
        case RunState.FAILED | RunState.CANCELLED:
            return (f"swarm resume {id_}", f"swarm retry {id_}", f"swarm discard {id_}")
        case RunState.MERGED:
            return (f"swarm undo {id_}",)
        case RunState.DISCARDED:
            return (f"swarm restore {id_}",)
        case _:
            return (f"swarm logs {id_} -f", f"swarm stop {id_}")
