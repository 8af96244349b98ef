"""When a run has come to rest: why it did, and whether another agent goes on with all that it left."""

import msgspec
import sqlalchemy as sa

from app.config.load import load
from app.domain import ids
from app.domain.bundle import Part
from app.domain.events import Note
from app.domain.ids import RunId
from app.domain.money import Micros
from app.domain.route import Route
from app.domain.run import ACTIVE, Run
from app.domain.task import Task
from app.store import bundles, rests, routes, tasks, turns
from app.store.turns import UNTENDED, Turn
from app.supervisor import homes, router
from app.supervisor.bundles import gather
from app.supervisor.errors import told
from app.supervisor.faults import fault
from app.supervisor.race import close_race
from app.supervisor.router import Wish
from app.supervisor.services import Services
from app.supervisor.submit import add_route, enqueue_run, fresh_run
from app.supervisor.trouble import TROUBLE
from policies.breaker import EndCause
from policies.fallback import EndFacts, Hop, after_end

_PROVIDER = "swarm: the model API "
"""How the gateway begins what it says of a provider that fails."""

BY_A_PERSON = "stop:stopped by "
"""How the wish of a person begins; a monitor that ends a run gives its finding instead."""


async def at_rest(s: Services, run_id: RunId) -> None:
    """Note why the run came to rest, and start the next one if another agent is to go on. Safe to repeat."""
    task, run = await s.task_and_run(run_id)
    cause = await _cause(s, run)
    await s.database.write(routes.end, run, cause, s.clock())
    fault("mid:at_rest")
    await close_race(s, task)
    try:
        await _hand_on(s, task, run, cause)
    except TROUBLE as error:
        note = Note(f"nobody else could go on with it: {told(error)}", "warning")
        await s.broker.record(run_id, f"round-{run.round}/not-handed-on", note)


async def _cause(s: Services, run: Run) -> EndCause:
    known = await s.database.read(turns.turns_of, run.id)
    wish: str = await s.database.read(tasks.column, run.id, "wish")
    how = wish.partition(":")[0]
    resting = await s.database.read(rests.until, run.id) is not None
    checks = await s.database.read(turns.checks_of, run.id, known[-1].number if known else 0)
    failed = any(not check.passed for check in checks)
    down: str = await s.database.read(rests.upstream, run.id)
    if how == "park" and down:
        return "outage"
    return cause_of(
        "stuck" if wish.startswith("stop:") and not wish.startswith(BY_A_PERSON) else how,
        known[-1] if known and known[-1].round == run.round else None,
        failed=failed,
        resting=resting,
        changed=bool(run.snapshot),
    )


def cause_of(
    how: str, turn: Turn | None, *, failed: bool, resting: bool, changed: bool
) -> EndCause:
    """Why a run rests, by the first word of its wish, its last turn, and what else is known."""
    match how:
        case "review":
            return "checks" if failed else "done"
        case "park":
            return "rate_limit" if resting else "budget"
        case "stop":
            return "stopped"
        case "stuck":
            return "stuck"
        case _:
            return _failure(turn, changed=changed)


def _failure(turn: Turn | None, *, changed: bool) -> EndCause:
    if turn is None or turn.ended is None or turn.exit_reason == UNTENDED:
        return "setup"
    if _PROVIDER in turn.error:
        return "outage"
    if turn.stop_reason in ("error", "refusal"):
        return "error"
    if turn.stop_reason == "":
        return "crash"
    return "setup" if changed else "stuck"


async def _hand_on(s: Services, task: Task, run: Run, cause: EndCause) -> None:
    """Start the next agent's run, if the rules say so; what it may spend is what is left of the task's money."""
    first = await s.database.read(routes.routes_of, task.id)
    if not first or task.race:
        return
    rule = load(user=s.places.config).settings.routing.hand_on
    runs = await s.database.read(tasks.runs_of, task.id)
    used = frozenset(route.target for route in first)
    left = left_of(task, runs)
    facts = EndFacts(
        cause=cause,
        newest=runs[-1].id == run.id,
        alone=not any(each.state in ACTIVE for each in runs),
        hops=sum(1 for route in first if route.asked == "handed on"),
        left=left,
        others=sum(1 for option in first[0].options if option.target not in used),
    )
    following = after_end(facts, rule)
    if not isinstance(following, Hop):
        return
    wish = Wish(
        "handed on", first[0].names, first[0].kind, first[0].paths, used=used, before=run.id
    )
    number = run.number + 1
    async with s.live.routing:
        route = await router.find(s, task, ids.run_id(task.id, number), wish)
        fresh = msgspec.structs.replace(fresh_run(s, task, number, route), budget=left)
        parts = await gather(s, task, run)
        await homes.share_base(s, (await s.repository(task))[0], task, fresh.id)
        await s.database.write(start_after, s, fresh, route, parts)
    words = f"{following.why}: {route.target} goes on as {fresh.id}, with all that is there"
    await s.broker.record(run.id, f"round-{run.round}/handed-on", Note(words))


def left_of(task: Task, runs: tuple[Run, ...]) -> Micros:
    """What the next run may spend so that all together stay within what was given.

    That is the task's own limit where it has one, else the budget of a single run.
    """
    spent = sum(run.spent for run in runs)
    whole = task.limits.task if task.limits.task is not None else task.budget
    return Micros(max(0, min(task.budget, whole - spent)))


def start_after(
    c: sa.Connection, s: Services, run: Run, route: Route, parts: tuple[Part, ...]
) -> None:
    """Store the next run with its route and its bundle, and the work it triggers, in one transaction."""
    if route.before:
        rests.forget(c, route.before)  # Another goes on in its place.
    if not tasks.has(c, run.id):
        enqueue_run(c, s, run)
        add_route(c, route)
        bundles.add(c, run.id, parts)
