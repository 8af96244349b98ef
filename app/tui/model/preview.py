"""What a task that is not given yet would do, as lines: who gets it and why, its cost, what it may touch."""

from collections.abc import Sequence

from app.domain.money import Micros, dollars
from app.domain.route import Route
from app.tui.model.line import Line, clip_line, one_line
from app.wire import Left, Preview

MOST = 5
"""Lines at most."""


def preview_lines(found: Preview, width: int, tasks: int = 1) -> list[Line]:
    """The most important first, cut where it does not fit. Of several tasks `found` is about the first."""
    lines: list[Line] = []
    if found.refused:
        lines.append([("✗ ", "bad"), (one_line(found.refused), "bad")])
    if len(found.routes) > 1:
        lines.append(_race_line(found.routes, tasks))
    else:
        lines += [_route_line(route, tasks) for route in found.routes]
    lines.append([("costs   ", "label"), (_cost(found, tasks), ""), *_tightest(found, tasks)])
    lines.append([("touches ", "label"), (_touched(found), "")])
    lines += [[("! ", "warn"), (one_line(note), "warn")] for note in found.notes]
    return [clip_line([(" ", ""), *line], width) for line in lines[:MOST]]


def _race_line(routes: Sequence[Route], tasks: int) -> Line:
    """All who start at once."""
    who = ", ".join(route.target for route in routes)
    which = f" for the first of {tasks} tasks" if tasks > 1 else ""
    told = f": {len(routes)} race{which}; the others stop when one has landed"
    return [("goes to ", "label"), (one_line(who), "strong"), (told, "dim")]


def _route_line(route: Route, tasks: int) -> Line:
    """Who gets it, because of what; who was asked before and cannot."""
    who: Line = [("goes to ", "label"), (one_line(route.target), "strong")]
    if tasks > 1:
        who.append((", the first task", "dim"))
    why = f", by {route.rule}" if route.rule else ""
    dropped = [f"not {each.target}: {each.dropped}" for each in route.options if each.dropped]
    said = f": {route.why}{why}" if len(route.options) > 1 or why else ""
    return [
        *who,
        (one_line(said), "dim"),
        *([("; " + one_line(dropped[0]), "dim")] if dropped else []),
    ]


def _cost(found: Preview, tasks: int) -> str:
    if tasks > 1:
        together = dollars(Micros(found.budget * tasks))
        return f"{together} at most, {dollars(found.budget)} for each of {tasks} tasks"
    together = " for all together" if len(found.routes) > 1 else ""
    return f"{dollars(found.budget)} at most{together}"


def _tightest(found: Preview, tasks: int) -> Line:
    """The budget above it that has the least left."""
    if not found.left:
        return []
    least: Left = min(found.left, key=lambda each: each.left)
    ink = "warn" if least.left < found.budget * tasks else "dim"
    return [(f"; {one_line(least.of)} has {dollars(least.left)} of {dollars(least.cap)} left", ink)]


def _touched(found: Preview) -> str:
    hosts = ", ".join(found.hosts[:3]) + (" and more" if found.hosts[3:] else "")
    checks = (
        f"{len(found.checks)} check{'s' if len(found.checks) > 1 else ''}"
        if found.checks
        else "no checks"
    )
    watched = len(found.policy.block) + len(found.policy.confirm)
    rules = f"; {watched} path rules" if watched else ""
    where = f"a copy of {found.base} in {found.sandbox}"
    return one_line(
        f"{where}; network: {hosts or 'none'}; {checks}{rules}; lands on {found.target}"
    )
