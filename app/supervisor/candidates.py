"""Who could do a task: names looked up, and for each candidate why it cannot, if it cannot."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from app.config.budget import ceilings
from app.config.load import load
from app.config.routing import retirements
from app.config.settings import Settings
from app.domain.budget import Account, Headroom, chain, day_of, headroom
from app.domain.errors import EnvironmentProblem, NotFound, SwarmError
from app.domain.ids import RunId
from app.domain.money import dollars
from app.domain.route import Ended, Option
from app.domain.task import Task
from app.gateway.settings import DialectName
from app.gateway.upstreams import Upstreams
from app.store import budgets, routes
from app.supervisor.errors import LEAF_ERRORS, own, translated
from app.supervisor.money import check_model, upstreams
from app.supervisor.services import Services
from app.wire import DoctorLine
from harnesses.catalog import Agent
from harnesses.text import nearest
from policies.breaker import BreakerRule, Open, Past, breaker
from policies.models import BadName, Target, ending, expand, successor
from sandboxes import images

REMEMBERED = 3600.0
"""Seconds back to which runs count for a breaker; a breaker that is older than that has closed."""


@dataclass(frozen=True, slots=True)
class Book:
    """What the tables say of everybody who may be chosen."""

    ended: tuple[Ended, ...]
    at_work: tuple[tuple[str, str], ...]
    """Agent and model provider of each run that is at work."""
    room: Mapping[str, Headroom]
    """What each agent's budgets have left."""


def read_book(
    c: sa.Connection, task: Task, agents: tuple[str, ...], settings: Settings, now: float
) -> Book:
    """Read it in one transaction."""
    above = ceilings(settings.budget)
    room = {}
    for agent in agents:
        caps = chain(payer(task, agent), above, day_of(now))
        room[agent] = headroom(caps, budgets.tallies(c, budgets.keys(caps)), None)
    return Book(routes.ends_since(c, now - REMEMBERED), routes.at_work(c), room)


def payer(task: Task, agent: str) -> Account:
    """Who the calls of that agent would be charged to, before it has a run."""
    return Account(
        run=RunId(""), task=task.id, turn=0, agent=agent, repo=task.repo, user=task.submitter,
        label=task.label, flow=task.flow, budget=task.budget, limits=task.limits,
    )  # fmt: skip


def look_up(
    s: Services, settings: Settings, names: tuple[str, ...]
) -> tuple[tuple[Option, ...], tuple[str, ...]]:
    """The candidates that names stand for, and what is to be said of their models. Raises `NotFound`."""
    known = s.catalog.names()
    today = dt.datetime.fromtimestamp(s.clock(), dt.UTC).date()
    retired = retirements(settings.retire)
    found: dict[str, Option] = {}
    notes: list[str] = []
    for target in _targets(names, settings.models, known):
        agent = s.catalog.entry(target.agent)
        wanted = target.model or agent.model
        model = successor(wanted, retired, today)
        if model not in (wanted, None):
            notes.append(
                f"{wanted} has ended on {retired[wanted].ends}: {model} comes in its place"
            )
        gone = "" if model else f"its model {wanted} has ended on {retired[wanted].ends}"
        found.setdefault(
            str(target),
            Option(
                target=str(target),
                agent=agent.name,
                model=model or wanted,
                account=_account(s, agent, model or wanted),
                dropped=gone or ("" if agent.enabled else "it is disabled in your config.yaml"),
            ),
        )
    return tuple(found.values()), tuple(notes)


def _targets(
    names: tuple[str, ...], models: Mapping[str, tuple[str, ...]], known: tuple[str, ...]
) -> Iterator[Target]:
    for name in names:
        try:
            yield from expand(name, models, known)
        except BadName as error:
            meant = nearest(name, [*known, *models])
            near = f", did you mean `{meant}`?" if meant else ""
            plain = name.partition("/")[0] not in models
            raise NotFound(
                f"no agent is called `{name}`{near}" if plain else f"`{name}` {error}",
                hint=f"Agents: {', '.join(known)}. Names in `models`: {', '.join(models) or 'none'}.",
            ) from None


def endings(s: Services) -> Iterator[DoctorLine]:
    """Models that agents or names want and that end within a month, or have ended."""
    settings = load(user=s.places.config).settings
    today = dt.datetime.fromtimestamp(s.clock(), dt.UTC).date()
    retired = retirements(settings.retire)
    wanted = {agent.model for agent in s.catalog.all()}
    for names in settings.models.values():
        wanted |= {name.partition("/")[2] for name in names if "/" in name}
    for model in ending(wanted, retired, today):
        end = retired[model]
        yield DoctorLine(
            name=f"model {model}",
            ok=False,
            found=f"ends on {end.ends}" if end.ends > today else f"has ended on {end.ends}",
            fix=f"From then on {end.use} is called instead; say so in `models`, or in the agent's entry."
            if end.use
            else f"Say what comes in its place: retire: {{{model}: {{ends: {end.ends}, use: …}}}}.",
            needed=False,
        )


def _account(s: Services, agent: Agent, model: str) -> str:
    able = s.harness(agent.harness).capabilities
    dialect: DialectName = agent.dialect or able.dialect
    try:
        configured = upstreams(s.configuration.settings.gateway)
        return Upstreams(configured).choose(model, dialect)[0].name
    except EnvironmentProblem:
        return ""


async def judged(
    s: Services, settings: Settings, options: tuple[Option, ...], book: Book, base: str
) -> list[tuple[Option, str]]:
    """Each candidate with the reason why it cannot take a task now; empty when it can.

    `base`: the image that the task's agents stand on, if it is not swarm's.
    """
    found = []
    for option in options:
        why = option.dropped or await lacks(s, option, base)
        found.append((option, why or _hindered(s, settings, option, book)))
    return found


async def lacks(s: Services, option: Option, base: str = "") -> str:
    """What is missing on this machine."""
    try:
        with translated():
            await fit(s, s.catalog.get(option.agent), option.model)
            await _image(s, s.catalog.get(option.agent), base)
    except SwarmError as error:
        return f"{error.message} {error.hint}".strip()
    return ""


async def fit(s: Services, agent: Agent, model: str, *, plays: bool = False) -> None:
    """Refuse now what would fail in a minute: no such harness, no engine, no key, no price.

    `plays`: a recording answers in place of the model.
    """
    settings = s.configuration.settings.sandbox
    harness = s.harness(agent.harness)
    harness.check(agent.settings)
    driver = s.driver(settings.driver)
    if driver.isolation == "scripted" and not harness.capabilities.scripted:
        raise EnvironmentProblem(
            f"the embedded sandbox runs only scripted agents, and {agent.name} is a real one",
            hint="Set `sandbox: {driver: docker}` in your config.yaml.",
        )
    await driver.check(settings.runtime)
    if not plays:
        await check_model(s, agent, model)


async def _image(s: Services, agent: Agent, base: str) -> None:
    settings = s.configuration.settings.sandbox
    if settings.driver != "docker" or settings.image:
        return
    try:
        gone = await images.missing([agent.image or images.BASE], base=base)
    except LEAF_ERRORS as error:
        raise own(error) from error
    if gone:
        raise EnvironmentProblem(
            "its image is not built",
            hint=f"Build it: `swarm image {'approve' if base else 'build'} {agent.image}`.",
        )


def _hindered(s: Services, settings: Settings, option: Option, book: Book) -> str:
    """What stands in its way although everything is there."""
    rule, now = settings.routing.trips, s.clock()
    mine = [run for run in book.ended if run.target == option.target]
    theirs = [run for run in book.ended if option.account and run.account == option.account]
    return (
        _tripped("it", mine, rule, now)
        or _tripped(option.account, _of_provider(theirs), rule, now)
        or _full(option.agent, [agent for agent, _ in book.at_work], settings)
        or _full(option.account, [account for _, account in book.at_work], settings)
        or _spent(book.room[option.agent])
    )


def _of_provider(runs: list[Ended]) -> list[Ended]:
    """Runs that say something about the provider, whoever made the calls."""
    return [run for run in runs if run.cause in (None, "done", "outage", "rate_limit")]


def _tripped(who: str, runs: list[Ended], rule: BreakerRule, now: float) -> str:
    past = [Past(run.began, run.ended, run.cause or "done") for run in runs]
    state = breaker(past, rule, now)
    if not isinstance(state, Open):
        return ""
    return f"{who} gets no task for {max(1, round(state.until - now))} s: {state.why}"


def _full(name: str, at_work: list[str], settings: Settings) -> str:
    limit = settings.routing.concurrency.get(name)
    count = at_work.count(name)
    if limit is None or count < limit:
        return ""
    return f"{name} has {count} of {limit} runs at work"


def _spent(room: Headroom) -> str:
    if room.money.left > 0:
        return ""
    return f"the budget of {room.money.of} is used up: {dollars(room.money.cap)}"
