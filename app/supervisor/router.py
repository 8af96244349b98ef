"""Who gets a run: what was asked for, who could, and whom rules or history prefer. Every choice is kept."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from app.config.load import load
from app.config.routing import RoutingSettings
from app.config.settings import Settings
from app.domain.errors import EnvironmentProblem
from app.domain.ids import RunId
from app.domain.money import Micros, dollars
from app.domain.route import Asked, Option, Outcome, Route
from app.domain.task import Task
from app.store import routes
from app.supervisor import candidates
from app.supervisor.services import Services
from policies.learning import Past, Score, scores
from policies.routes import Kind, Rule, Want, first, kind_of, paths_in
from policies.routing import Choice, Learning, Question, choose
from policies.routing import Option as Candidate


@dataclass(frozen=True, slots=True)
class Wish:
    """Who may do a task, and who said so."""

    asked: Asked
    names: tuple[str, ...]
    kind: Kind
    paths: tuple[str, ...] = ()
    rule: Rule | None = None
    used: frozenset[str] = frozenset()
    """Targets that have worked on the task already."""
    before: RunId | None = None


def wish(
    task: Task,
    named: tuple[str, ...],
    kind: Kind | None,
    rules: Iterable[Rule],
    default: str,
    *,
    race: bool = False,
) -> Wish:
    """What the person named, else the first rule that holds, else what the configuration says."""
    want = Want(
        goal=task.goal,
        repo=task.repo,
        kind=kind or kind_of(task.goal),
        label=task.label,
        flow=task.flow,
        paths=paths_in(task.goal),
    )
    if named:
        return Wish("race" if race else "named", named, want.kind, want.paths)
    if rule := first(rules, want):
        return Wish("rule", rule.use, want.kind, want.paths, rule)
    return Wish("default", (default,), want.kind, want.paths)


async def find(s: Services, task: Task, run: RunId, asked: Wish) -> Route:
    """The choice. Raises `NotFound` for names that stand for nobody, `EnvironmentProblem` when nobody can."""
    settings = load(user=s.places.config).settings
    options, notes = candidates.look_up(s, settings, asked.names)
    options = tuple(_unused(option, asked) for option in options)
    if len(options) == 1 and not options[0].dropped:
        # Nobody else is named: what it lacks is told as it is, when the run is made ready.
        choice = Choice(target=options[0].target, way="order", why="it is the only one named")
        return _route(s, run, asked, options, choice, notes)
    agents = tuple({option.agent for option in options})
    book = await s.database.read(candidates.read_book, task, agents, settings, s.clock())
    judged = await candidates.judged(s, settings, options, book, task.outfit.base)
    known = await _history(s, settings, task, asked, options)
    options = tuple(_filled(o, why, known, asked.rule) for o, why in judged)
    return _route(s, run, asked, options, _choice(options, known, asked, settings, run), notes)


def _unused(option: Option, asked: Wish) -> Option:
    if option.target not in asked.used:
        return option
    return msgspec.structs.replace(option, dropped="it has worked on this task already")


async def _history(
    s: Services, settings: Settings, task: Task, asked: Wish, options: tuple[Option, ...]
) -> tuple[Score, ...]:
    """The evidence for each; none where history is not asked."""
    if settings.routing.learning.mode == "off" or len(options) < 2:
        return ()
    await s.database.write(routes.collect)
    past = [_past(outcome) for outcome in await s.database.read(routes.outcomes)]
    return scores(
        past,
        [option.target for option in options],
        kind=asked.kind,
        repo=task.repo,
        lesson=settings.routing.lesson,
        now=s.clock(),
    )


def _past(outcome: Outcome) -> Past:
    fields = ("target", "worth", "micros", "at", "kind", "repo")
    return Past(**{name: getattr(outcome, name) for name in fields})


def _filled(option: Option, why: str, known: tuple[Score, ...], rule: Rule | None) -> Option:
    score = next((each for each in known if each.target == option.target), Score(target=""))
    dear = rule and rule.max_cost is not None and score.outcomes and score.micros > rule.max_cost
    if dear and not why:
        assert rule
        why = f"a run of it has cost {dollars(score.micros)}, and the rule allows {dollars(rule.max_cost or 0)}"
    return msgspec.structs.replace(
        option,
        dropped=why,
        outcomes=score.outcomes,
        accepted=score.accepted,
        rejected=score.rejected,
        micros=Micros(score.micros),
    )


def _choice(
    options: tuple[Option, ...],
    known: tuple[Score, ...],
    asked: Wish,
    settings: Settings,
    run: RunId,
) -> Choice:
    rule = asked.rule
    found = choose(
        Question(
            options=tuple(Candidate(target=o.target, dropped=o.dropped) for o in options),
            scores=known,
            learning=_learning(settings.routing, rule),
            explore=_explore(settings.routing, rule),
            seed=seed_of(run),
            lesson=settings.routing.lesson,
        )
    )
    if found is None:
        reasons = "; ".join(f"{option.target}: {option.dropped}" for option in options)
        raise EnvironmentProblem(
            f"nobody who may do this can do it now: {reasons}",
            hint="`swarm agents` says what each needs; `--agent NAME` names another one.",
        )
    return found


def _learning(settings: RoutingSettings, rule: Rule | None) -> Learning:
    if settings.learning.mode == "on" and rule is not None and not rule.learn:
        return "shadow"
    return settings.learning.mode


def _explore(settings: RoutingSettings, rule: Rule | None) -> float:
    if rule is not None and rule.explore is not None:
        return rule.explore
    return settings.learning.explore


def seed_of(run: RunId) -> int:
    """The same for the same run, so that a choice can be repeated."""
    return int.from_bytes(hashlib.sha256(run.encode()).digest()[:4])


def _route(
    s: Services,
    run: RunId,
    asked: Wish,
    options: tuple[Option, ...],
    choice: Choice,
    notes: tuple[str, ...],
) -> Route:
    draws = {score.target: score.drawn for score in choice.scores}
    rule = asked.rule
    return Route(
        run=run,
        at=s.clock(),
        asked=asked.asked,
        names=asked.names,
        rule=f"{rule.name} ({rule.source})" if rule else "",
        kind=asked.kind,
        paths=asked.paths,
        options=tuple(
            msgspec.structs.replace(option, drawn=draws.get(option.target)) for option in options
        ),
        target=choice.target,
        way=choice.way,
        why=choice.why,
        shadow=choice.shadow,
        seed=seed_of(run),
        notes=notes,
        before=asked.before,
    )
