"""From a user's sentence to a queued run: all that can be refused is refused before anything is made."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import msgspec
import sqlalchemy as sa

from app import wire
from app.config.budget import limits
from app.config.load import REPOSITORY_FILE, Loaded, load
from app.config.routes import load_rules
from app.config.settings import Settings
from app.domain import ids
from app.domain.budget import Limits, lower
from app.domain.errors import UsageError
from app.domain.events import Note
from app.domain.ids import RunId, TaskId
from app.domain.network import NetworkRules
from app.domain.outfit import Outfit
from app.domain.route import Route
from app.domain.run import Run, RunState
from app.domain.task import Task
from app.gateway.cassette import begin
from app.repo import repository
from app.repo.fetching import fetched
from app.repo.oddities import oddities
from app.repo.repository import Repository
from app.store import audit, board, rests, reviews, routes, tasks
from app.supervisor import homes, router
from app.supervisor.candidates import fit
from app.supervisor.consent import refuse_secrets_in
from app.supervisor.engine import INTAKE, host_queue
from app.supervisor.errors import translated
from app.supervisor.moved import follow
from app.supervisor.names import ATTEMPT, PLACE, attempt_id, place_id
from app.supervisor.network import asked_for
from app.supervisor.own_image import approved_base, check_image
from app.supervisor.sandbox import image_for
from app.supervisor.services import Services
from harnesses.catalog import Agent
from policies.routes import Rule

REPO_ROUTES = ".swarm/routes.yaml"
CONFIG_LIMIT = 256 * 1024


async def submit(s: Services, new: wire.NewTask) -> wire.RunRow:
    """Check everything the run will need, then store the task and enqueue its first run in one transaction."""
    if not new.goal.strip():
        raise UsageError(
            "the goal is empty", hint='Say what you want: `swarm run "Fix the flaky test"`.'
        )
    with translated():
        if new.fetch:
            new = await _fetched(s, new)
    async with s.live.taking:
        return await _take_in(s, new)


async def _fetched(s: Services, new: wire.NewTask) -> wire.NewTask:
    """The same task, which starts from what the base is at its remote now."""
    repo = await repository.open_repository(Path(new.repo))
    settings = (await settings_of(s, repo, new.base)).settings
    base = new.base or settings.target or await repository.current_branch(repo)
    return msgspec.structs.replace(new, base=await fetched(repo, base))


@dataclass(frozen=True, slots=True)
class Plan:
    """A task as it would be stored, before anybody is chosen for it."""

    repo: Repository
    task: Task
    rules: tuple[Rule, ...]
    default: str
    """The agent that the configuration names."""


async def planned(s: Services, new: wire.NewTask) -> Plan:
    """What the configuration makes of a goal. Nothing is stored."""
    repo = await repository.open_repository(Path(new.repo))
    await follow(s, str(repo.root))
    loaded = await settings_of(s, repo, new.base)
    refuse_secrets_in(new.goal, "the goal", loaded.settings.policy)
    task = await _task(s, repo, loaded, new)
    return Plan(repo, task, await _rules(s, repo, new.base), loaded.settings.agent)


async def _take_in(s: Services, new: wire.NewTask) -> wire.RunRow:
    with translated():
        plan = await planned(s, new)
        repo, task = plan.repo, plan.task
        async with s.live.routing:
            routes_ = await routes_of(s, plan, new)
            task = msgspec.structs.replace(task, agent=routes_[0].chosen.agent)
            runs = [fresh_run(s, task, n, route) for n, route in enumerate(routes_, start=1)]
            for run in runs:
                await ready(s, repo, task, run)
                await homes.share_base(s, repo, task, run.id)
            await asyncio.to_thread(begin, task.cassette)
            await s.database.write(_store, s, task, runs, routes_)
    await _tell(s, repo, task, runs, routes_)
    return await s.database.read(board.row, runs[0].id)


async def routes_of(s: Services, plan: Plan, new: wire.NewTask) -> list[Route]:
    """One route, or in a race one for each that was named. Nothing is stored."""
    task, rules, default = plan.task, plan.rules, plan.default
    if not new.race:
        named = new.agents or tuple(filter(None, [new.agent]))
        wish = router.wish(task, named, new.kind, rules, default)
        return [await router.find(s, task, ids.run_id(task.id, 1), wish)]
    if len(new.agents) < 2:
        raise UsageError(
            "a race needs at least two agents", hint="Name them: --agents claude-code,codex --race."
        )
    found = []
    for number, name in enumerate(new.agents, start=1):
        wish = router.wish(task, (name,), new.kind, rules, default, race=True)
        found.append(await router.find(s, task, ids.run_id(task.id, number), wish))
    return found


async def _rules(s: Services, repo: Repository, base: str) -> tuple[Rule, ...]:
    """The rules of the user, and after them those of the repository as the work's base has them."""
    commit = await repository.resolve(repo, base or "HEAD")
    text = await repository.read_file(repo, commit, REPO_ROUTES, CONFIG_LIMIT)
    return load_rules(s.places.config, text, f"{repo.root}/{REPO_ROUTES}")


async def _tell(
    s: Services, repo: Repository, task: Task, runs: list[Run], routes_: list[Route]
) -> None:
    """Say who got it where that was not plain, and what the user may think is part of the work."""
    for run, route in zip(runs, routes_, strict=True):
        await tell_route(s, run.id, route)
    await _tell_left_out(s, repo, task, runs[0])


async def tell_route(s: Services, run: RunId, route: Route) -> None:
    """The choice in the run's log; nothing where there was none."""
    for number, text in enumerate(route.notes):
        await s.broker.record(run, f"route-note-{number}", Note(text, "warning"))
    if len(route.options) > 1:
        words = f"{route.target} does it: {route.why}; `swarm route explain {run}` says more"
        await s.broker.record(run, "route", Note(words))


async def _tell_left_out(s: Services, repo: Repository, task: Task, run: Run) -> None:
    """Say what the user may think is part of the work: agents start from a commit."""
    commit = await repository.resolve(repo, task.base)
    for number, text in enumerate(await oddities(repo, commit)):
        await s.broker.record(run.id, f"oddity-{number}", Note(text, "warning"))
    if text := await uncommitted(repo, task):
        await s.broker.record(run.id, "dirty", Note(text, "warning"))


async def uncommitted(repo: Repository, task: Task) -> str:
    """What in the user's checkout is no part of the work, in a sentence; empty when there is nothing."""
    dirty = await repository.dirty_paths(repo)
    more = f" and {len(dirty) - 3} more" if len(dirty) > 3 else ""
    listed = f"uncommitted changes are no part of this: {', '.join(dirty[:3])}{more}"
    return f"{listed}; it starts from {task.base}" if dirty else ""


async def settings_of(s: Services, repo: Repository, base: str) -> Loaded:
    """The settings for this repository, with its own file read from the commit the work starts from."""
    commit = await repository.resolve(repo, base or "HEAD")
    text = await repository.read_file(repo, commit, REPOSITORY_FILE, CONFIG_LIMIT)
    return load(user=s.places.config, repo_text=text, repo_name=f"{repo.root}/{REPOSITORY_FILE}")


async def _task(s: Services, repo: Repository, loaded: Loaded, new: wire.NewTask) -> Task:
    settings = loaded.settings
    base = new.base or settings.target or await repository.current_branch(repo)
    target = settings.target or base
    if await repository.tip_of(repo, target) is None:
        target = await repository.current_branch(repo)
    commit = await repository.resolve(repo, base)
    return Task(
        id=TaskId(ids.mint()),
        goal=new.goal.strip(),
        repo=str(repo.root),
        target=target,
        base=base,
        agent="",
        checks=settings.checks if new.checks is None else new.checks,
        budget=settings.budget.micros if new.budget is None else new.budget,
        policy=settings.policy,
        approvals=settings.approvals,
        max_turns=settings.max_turns,
        created=s.clock(),
        submitter=new.submitter,
        label=new.label,
        outfit=Outfit(
            copies=settings.copies,
            setup=settings.setup,
            base=await approved_base(s, repo, commit, settings),
            teardown=settings.teardown,
        ),
        limits=_limits(s, settings, new),
        race=new.race,
        cassette=new.cassette,
        home=s.engine.host if s.member else "",
        needs=tuple(sorted({*settings.needs, *new.needs})),
        priority=new.priority,
        network=NetworkRules(
            hosts=tuple(sorted({*settings.network.hosts, *asked_for(new)})),
            bytes=settings.network.limit,
        ),
    )


def _limits(s: Services, settings: Settings, new: wire.NewTask) -> Limits:
    """Those of the configuration; those who race share the budget of one."""
    found = limits(s.configuration.settings.budget, settings.budget)
    if not new.race:
        return found
    shared = settings.budget.micros if new.budget is None else new.budget
    return msgspec.structs.replace(found, task=lower(found.task, shared))


def fresh_run(s: Services, task: Task, number: int, route: Route) -> Run:
    """A run of the task that nothing has been done for yet, by whoever the route chose."""
    chosen = route.chosen
    entry: Agent = s.catalog.get(chosen.agent)
    settings = s.configuration.settings.sandbox
    return Run(
        id=ids.run_id(task.id, number),
        task=task.id,
        number=number,
        state=RunState.QUEUED,
        agent=entry.name,
        harness=entry.harness,
        model=chosen.model,
        sandbox=settings.driver,
        image=image_for(entry, settings, task.outfit.base),
        budget=task.budget,
        created=s.clock(),
    )


async def ready(s: Services, repo: Repository, task: Task, run: Run) -> None:
    """Refuse now what would fail in a minute: no engine, no image, no key, no name to commit under."""
    await repository.identity(repo)
    plays = bool(task.cassette.replay)
    await fit(s, s.catalog.get(run.agent), run.model, plays=plays)
    await check_image(s, task, run)


def _store(
    c: sa.Connection, s: Services, task: Task, runs: list[Run], routes_: list[Route]
) -> None:
    tasks.add_task(c, task)
    for run, route in zip(runs, routes_, strict=True):
        enqueue_run(c, s, run)
        add_route(c, route)
    audit.record(
        c,
        key=f"{task.id}/submitted",
        what="task submitted",
        actor=task.submitter,
        at=task.created,
        run=runs[0].id,
        goal=task.goal,
        agent=" ".join(run.agent for run in runs),
        budget=str(task.budget),
        **({"network": " ".join(task.network.hosts)} if task.network.hosts else {}),
    )


def add_route(c: sa.Connection, route: Route) -> None:
    """Store why this agent does it; that a model was replaced by another is an audit row, once."""
    routes.add(c, route)
    for text in route.notes:
        audit.record(
            c, key=f"retired/{text}", what="model replaced", actor="swarm", at=route.at,
            run=route.run, why=text,
        )  # fmt: skip


def enqueue_run(c: sa.Connection, s: Services, run: Run) -> None:
    """Store a new run and the work it triggers, together or not at all."""
    tasks.add_run(c, run)
    if s.member:
        return  # Whoever of the hosts looks next gives it a place.
    s.engine.enqueue(c, PLACE, place_id(run.id, run.round), run.id, run.round, queue=INTAKE)


def requeue(c: sa.Connection, s: Services, run: RunId, round_: int) -> None:
    """Send a run back to work, on the host that has its sandbox. What it still asked is settled by that."""
    reviews.void_all(c, run, at=s.clock(), why="the run was sent back to work")
    rests.forget(c, run)
    tasks.update(c, run, round=round_, takeover="", handed="")
    host = tasks.run(c, run).host
    if s.member and not host:
        return  # The host it had is lost: it gets another one.
    queue = host_queue(host) if host else s.engine.host_queue
    s.engine.enqueue(c, ATTEMPT, attempt_id(run, round_), run, round_, queue=queue)
