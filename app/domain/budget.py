"""Budgets: what may be spent, over what, and how much of that is left. Values and sums, no I/O.

A call counts against a chain of caps: its run, its task, the flow that made the task, its agent, its repository,
the day, the month. All are counted, limited or not, so that a limit set later knows what was spent.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal, TypeAlias, TypeVar

from app.domain.base import Value
from app.domain.ids import ApprovalId, RunId, TaskId
from app.domain.money import Micros, dollars

T = TypeVar("T", bound=float)
Unit: TypeAlias = Literal["money", "tokens", "time"]
OnLimit: TypeAlias = Literal["park", "stop"]
"""At a limit: keep the agent waiting and ask a person for more, or stop it at once."""


class Limits(Value, frozen=True, kw_only=True):
    """What a task's own configuration allows it, fixed when it is submitted. None: no limit of this kind."""

    request: Micros | None = None
    """One model call."""
    task: Micros | None = None
    """All runs of the task together."""
    flow: Micros | None = None
    """All tasks of the flow it belongs to."""
    day: Micros | None = None
    """All of its repository in a day."""
    month: Micros | None = None
    tokens: int | None = None
    """Tokens of one run, sent and received; below, those of the wider budgets."""
    task_tokens: int | None = None
    flow_tokens: int | None = None
    day_tokens: int | None = None
    month_tokens: int | None = None
    seconds: float | None = None
    """Time the agent of one run may work until a person looks; waiting for a person does not count."""
    task_seconds: float | None = None
    """All runs of the task together, until a person looks at one of them; below, the wider budgets."""
    flow_seconds: float | None = None
    day_seconds: float | None = None
    month_seconds: float | None = None
    calls_per_minute: int | None = None
    on_limit: OnLimit = "park"
    park: float = 3600.0
    """Seconds an agent is kept waiting for a person's answer."""
    warn: tuple[int, ...] = (80,)
    """Percentages of a cap at which somebody is told, ascending."""


class Periods(Value, frozen=True, kw_only=True):
    """Limits of one agent or one repository."""

    day: Micros | None = None
    month: Micros | None = None
    day_tokens: int | None = None
    month_tokens: int | None = None
    day_seconds: float | None = None
    month_seconds: float | None = None


class Ceilings(Value, frozen=True, kw_only=True):
    """Limits over all tasks, as the user's configuration has them now."""

    day: Micros | None = None
    month: Micros | None = None
    day_tokens: int | None = None
    month_tokens: int | None = None
    day_seconds: float | None = None
    month_seconds: float | None = None
    agents: Mapping[str, Periods] = {}
    repositories: Mapping[str, Periods] = {}
    """By absolute path."""


class Account(Value, frozen=True, kw_only=True):
    """Who spends, and for what: everything a charge is filed under."""

    run: RunId
    task: TaskId
    turn: int
    agent: str
    repo: str
    user: str
    label: str
    flow: str
    budget: Micros
    limits: Limits


class Cap(Value, frozen=True, kw_only=True):
    """Something that is counted, and how much of it there may be."""

    key: str
    """For example `run/k3f9x.1`, `day/2026-11-21`, `agent/codex/2026-11`."""
    of: str
    """In words, as in "the budget of ..."."""
    micros: Micros | None = None
    tokens: int | None = None
    seconds: float | None = None
    """Of work; it is not held beforehand, but looked at while agents work."""


class Tally(Value, frozen=True, kw_only=True):
    """What was counted under one key so far."""

    key: str
    spent: Micros = Micros(0)
    held: Micros = Micros(0)
    tokens: int = 0
    tokens_held: int = 0
    raised: Micros = Micros(0)
    """Added to the cap by people."""
    tokens_raised: int = 0


class Room(Value, frozen=True, kw_only=True):
    """What one cap still has room for."""

    key: str
    of: str
    left: int
    """Neither used nor held; below zero after an overrun."""
    held: int
    """Reserved for calls under way; part of it comes back when they are settled."""
    cap: int


class Headroom(Value, frozen=True, kw_only=True):
    """What a call may still use, by the tightest cap of its chain."""

    money: Room
    tokens: Room | None = None


class Claim(Value, frozen=True, kw_only=True):
    """The most a call may use."""

    micros: Micros
    tokens: int
    output: int
    """The longest answer that keeps it within both."""


class Raise(Value, frozen=True, kw_only=True):
    """How much more a question asks for, and of which budget."""

    approval: ApprovalId
    tally: str
    of: str
    micros: Micros = Micros(0)
    tokens: int = 0
    seconds: float = 0.0
    """Of work."""


class Passed(Value, frozen=True, kw_only=True):
    """A budget's threshold that was passed, which happens once."""

    tally: str
    """What was counted; with `/tokens` or `/time` behind it where those were."""
    percent: int
    run: RunId
    """Whose call passed it."""
    at: float
    of: str
    spent: int
    cap: int
    unit: Unit = "money"
    """Of `spent` and `cap`: micro-dollars, tokens, or seconds."""


def amount(number: float, unit: Unit) -> str:
    """`$0.03`, `12,000 tokens`, `1h 30m`."""
    match unit:
        case "money":
            return dollars(Micros(int(number)))
        case "tokens":
            return f"{int(number):,} tokens"
        case "time":
            return _lasting(round(number))


def _lasting(seconds: int) -> str:
    parts = ((seconds // 3600, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return " ".join(f"{count}{unit}" for count, unit in parts if count) or "0s"


def day_of(at: float) -> str:
    """`2026-11-21`; days are those of UTC, so that all hosts agree."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def begin_of(period: str) -> float:
    """The first second of a day such as `2026-11-21`, or of a month such as `2026-11`."""
    whole = period if period.count("-") == 2 else f"{period}-01"
    return datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp()


def chain(account: Account, ceilings: Ceilings, day: str) -> tuple[Cap, ...]:
    """Everything a call of that day counts against, the narrowest first."""
    own, month = account.limits, day[:7]
    them, agent = account.agent, ceilings.agents.get(account.agent, Periods())
    repo = ceilings.repositories.get(account.repo, Periods())
    here = Periods(
        day=lower(own.day, repo.day),
        month=lower(own.month, repo.month),
        day_tokens=lower(own.day_tokens, repo.day_tokens),
        month_tokens=lower(own.month_tokens, repo.month_tokens),
        day_seconds=lower(own.day_seconds, repo.day_seconds),
        month_seconds=lower(own.month_seconds, repo.month_seconds),
    )
    run, task, flow = f"run/{account.run}", f"task/{account.task}", f"flow/{account.flow}"
    of_flow = _cap(flow, "this flow", own.flow, own.flow_tokens, own.flow_seconds)
    return (
        _cap(run, "this run", account.budget, own.tokens, own.seconds),
        _cap(task, "this task", own.task, own.task_tokens, own.task_seconds),
        *((of_flow,) if account.flow else ()),
        *_of_periods(f"agent/{them}/", f"{them} for ", agent, day, month),
        *_of_periods(f"repository/{account.repo}/", "this repository for ", here, day, month),
        *_of_periods("", "", ceilings, day, month),
    )


def _of_periods(
    key: str, of: str, limits: Periods | Ceilings, day: str, month: str
) -> tuple[Cap, Cap]:
    days = (limits.day, limits.day_tokens, limits.day_seconds)
    months = (limits.month, limits.month_tokens, limits.month_seconds)
    return (
        _cap(f"{key or 'day/'}{day}", f"{of}the day", *days),
        _cap(f"{key or 'month/'}{month}", f"{of}the month", *months),
    )


def _cap(
    key: str, of: str, micros: Micros | None, tokens: int | None, seconds: float | None
) -> Cap:
    return Cap(key=key, of=of, micros=micros, tokens=tokens, seconds=seconds)


def headroom(
    caps: tuple[Cap, ...], tallies: Mapping[str, Tally], request: Micros | None
) -> Headroom:
    """The least room of any cap, in money and in tokens. The run has always a cap in money."""
    money, tokens = rooms(caps, tallies), []
    if request is not None:
        money.insert(0, Room(key="", of="one call", left=request, held=0, cap=request))
    for cap in caps:
        have = tallies.get(cap.key, Tally(key=cap.key))
        if cap.tokens is not None:
            tokens.append(
                _room(cap, cap.tokens + have.tokens_raised, have.tokens, have.tokens_held)
            )
    return Headroom(
        money=min(money, key=lambda room: room.left),
        tokens=min(tokens, key=lambda room: room.left, default=None),
    )


def rooms(caps: Iterable[Cap], tallies: Mapping[str, Tally]) -> list[Room]:
    """What each cap in money has left, the narrowest first."""
    found = []
    for cap in caps:
        have = tallies.get(cap.key, Tally(key=cap.key))
        if cap.micros is not None:
            found.append(_room(cap, cap.micros + have.raised, have.spent, have.held))
    return found


def crossed(cap: int, spent: int, warn: tuple[int, ...]) -> tuple[int, ...]:
    """The percentages of the cap that what was spent has reached."""
    return tuple(percent for percent in warn if spent * 100 >= cap * percent)


def _room(cap: Cap, limit: int, used: int, held: int) -> Room:
    return Room(key=cap.key, of=cap.of, left=limit - used - held, held=held, cap=limit)


def lower(one: T | None, other: T | None) -> T | None:
    """The lower of two limits, where None is no limit."""
    limits = [each for each in (one, other) if each is not None]
    return min(limits) if limits else None
