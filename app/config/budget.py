"""The written budget as limits, and what of it a repository's own file may say."""

from collections.abc import Iterator
from decimal import Decimal

from app.config.settings import BudgetSettings, PeriodSettings
from app.config.values import seconds
from app.config.yamltext import Key
from app.domain.budget import Ceilings, Limits, Periods
from app.domain.money import Micros, dollars, parse_dollars

_AMOUNTS = ("run", "request", "task", "flow", "day", "month")
_TOKENS = ("tokens", "task_tokens", "flow_tokens", "day_tokens", "month_tokens")
_COUNTS = (*_TOKENS, "request_rate")
_TIMES = ("time", "task_time", "flow_time", "day_time", "month_time")
_SPANS = (*_TIMES, "park")


def ceilings(own: BudgetSettings) -> Ceilings:
    """The limits over all tasks, which only the user's own file has."""
    return Ceilings(
        day=_micros(own.day),
        month=_micros(own.month),
        day_tokens=own.day_tokens,
        month_tokens=own.month_tokens,
        day_seconds=_seconds(own.day_time),
        month_seconds=_seconds(own.month_time),
        agents={name: _periods(each) for name, each in own.agents.items()},
        repositories={path: _periods(each) for path, each in own.repositories.items()},
    )


def limits(own: BudgetSettings, wanted: BudgetSettings) -> Limits:
    """The limits of a task: `wanted` are the settings with its repository's file, `own` those without it."""
    return Limits(
        request=_micros(wanted.request),
        task=_micros(wanted.task),
        flow=_micros(wanted.flow),
        # What is the same comes from the user's file, and holds for all repositories together.
        day=_micros(wanted.day) if wanted.day != own.day else None,
        month=_micros(wanted.month) if wanted.month != own.month else None,
        tokens=wanted.tokens,
        task_tokens=wanted.task_tokens,
        flow_tokens=wanted.flow_tokens,
        day_tokens=wanted.day_tokens if wanted.day_tokens != own.day_tokens else None,
        month_tokens=wanted.month_tokens if wanted.month_tokens != own.month_tokens else None,
        seconds=_seconds(wanted.time),
        task_seconds=_seconds(wanted.task_time),
        flow_seconds=_seconds(wanted.flow_time),
        day_seconds=_seconds(wanted.day_time) if wanted.day_time != own.day_time else None,
        month_seconds=_seconds(wanted.month_time) if wanted.month_time != own.month_time else None,
        calls_per_minute=wanted.request_rate,
        on_limit=wanted.on_limit,
        park=seconds(wanted.park),
        warn=tuple(sorted(set(wanted.warn))),
    )


def wider(own: BudgetSettings, wanted: BudgetSettings) -> Iterator[tuple[Key, str]]:
    """Where the budget with the repository's file is wider than the user's own, and how far it may go."""
    for name in (*_AMOUNTS, *_COUNTS, *_SPANS):
        mine, theirs = getattr(own, name), getattr(wanted, name)
        if mine is not None and (theirs is None or _size(theirs) > _size(mine)):
            yield _key(name), f"may only be lower than your own, {_shown(mine)}"
    if own.on_limit == "stop" != wanted.on_limit:
        yield _key("on_limit"), "may only be stricter than your own, 'stop'"
    if missing := sorted(set(own.warn) - set(wanted.warn)):
        yield _key("warn"), f"may not leave out your own: {', '.join(map(str, missing))}"
    for name in ("agents", "repositories"):
        if getattr(own, name) != getattr(wanted, name):
            yield _key(name), "is not a repository's to say: only your own config may set it"


def _size(value: Decimal | int | str) -> Decimal | float:
    return seconds(value) if isinstance(value, str) else value


def _shown(value: Decimal | int | str) -> str:
    match value:
        case Decimal():
            return dollars(_micros(value) or 0)
        case int():
            return f"{value:,}"
        case str():
            return value


def _key(name: str) -> Key:
    return ("budget", name)


def _periods(each: PeriodSettings) -> Periods:
    return Periods(
        day=_micros(each.day),
        month=_micros(each.month),
        day_tokens=each.day_tokens,
        month_tokens=each.month_tokens,
        day_seconds=_seconds(each.day_time),
        month_seconds=_seconds(each.month_time),
    )


def _seconds(span: str | None) -> float | None:
    return None if span is None else seconds(span)


def _micros(amount: Decimal | None) -> Micros | None:
    return None if amount is None else parse_dollars(str(amount))
