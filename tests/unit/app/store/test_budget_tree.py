"""The chain of caps: whatever the schedule, nothing passes its cap, and all sums are the ledger's."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.budget import (
    Cap,
    Ceilings,
    Claim,
    Headroom,
    Limits,
    Periods,
    Raise,
    chain,
)
from app.domain.ids import ApprovalId, RunId
from app.domain.money import Charge, Known, Micros
from app.store import budgets, costs, ledger, tasks
from app.store.tables import HOLD, SPEND, STATE, TALLY, WARNING
from tests.support.model_endpoint import add_run

DAY = 86_400.0
NOON = 10 * DAY + DAY / 2
RUN = RunId("aaaaa.1")
SECOND = RunId("aaaaa.2")
OTHER = RunId("bbbbb.1")
DOLLAR = 1_000_000
CEILINGS = Ceilings(
    day=Micros(1_500_000),
    month=Micros(2_500_000),
    agents={"claude-code": Periods(day=Micros(1_200_000))},
    repositories={"/r": Periods(month=Micros(2_200_000))},
)
LIMITS = Limits(
    request=Micros(600_000),
    task=Micros(1_100_000),
    flow=Micros(1_900_000),
    tokens=5_000,
    warn=(50,),
)


def book(**limits: Any) -> sa.Engine:
    """Two runs of one task, and one of another; all of one flow and one repository."""
    engine = sa.create_engine("sqlite://")
    with engine.begin() as c:
        STATE.create_all(c)
        more: dict[str, Any] = {
            "limits": msgspec.structs.replace(LIMITS, **limits),
            "flow": "f1",
            "label": "docs",
        }
        add_run(c, RUN, DOLLAR, **more)
        second = {"id": SECOND, "number": 2}
        tasks.add_run(c, msgspec.structs.replace(tasks.run(c, RUN), **second))
        add_run(c, OTHER, DOLLAR, "codex", **more)
    return engine


@pytest.fixture
def c() -> Iterator[sa.Connection]:
    engine = book()
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def reserve(
    c: sa.Connection, hold: str, micros: int, run: RunId = RUN, *, tokens: int = 0, at: float = NOON
) -> Claim | Headroom:
    claim = Claim(micros=Micros(micros), tokens=tokens, output=0)
    caller = ledger.Caller(hold, "m", host="here")
    return ledger.reserve(c, run, caller, lambda _: claim, now=at, ceilings=CEILINGS)


def settle(
    c: sa.Connection, hold: str, micros: int, *, at: float = NOON, known: Known = "metered"
) -> ledger.Settled:
    charge = Charge(micros=Micros(micros), model="m", input=micros // 1000, known=known)
    return ledger.settle(c, hold=hold, charge=charge, now=at, ceilings=CEILINGS)


def refused_by(answer: Claim | Headroom) -> str:
    assert isinstance(answer, Headroom)
    return answer.money.of


def test_one_call_may_not_cost_more_than_a_request_may(c: sa.Connection) -> None:
    assert refused_by(reserve(c, "h1", 600_001)) == "one call"


def test_a_task_holds_all_its_runs_back(c: sa.Connection) -> None:
    reserve(c, "h1", 600_000)
    reserve(c, "h2", 300_000)
    assert refused_by(reserve(c, "h3", 200_001, SECOND)) == "this task"


def test_another_agents_money_is_its_own(c: sa.Connection) -> None:
    reserve(c, "h1", 600_000)
    reserve(c, "h2", 300_000)
    assert isinstance(reserve(c, "h3", 600_000, OTHER), Claim)


def test_the_day_holds_everybody_back_and_the_next_one_begins_anew(c: sa.Connection) -> None:
    reserve(c, "h1", 600_000)
    reserve(c, "h2", 400_000)
    assert refused_by(reserve(c, "h3", 500_001, OTHER)) == "the day"
    assert isinstance(reserve(c, "h4", 500_001, OTHER, at=NOON + DAY), Claim)


def test_a_call_that_ends_after_midnight_belongs_to_the_day_it_was_held_against(
    c: sa.Connection,
) -> None:
    reserve(c, "h1", 600_000)
    settle(c, "h1", 500_000, at=NOON + DAY)
    assert [line.key for line in costs.costs(c, "day")] == ["1970-01-11"]
    assert budgets.tallies(c, ["day/1970-01-11"])["day/1970-01-11"].spent == 500_000


def test_tokens_are_limited_where_money_is_not(c: sa.Connection) -> None:
    assert isinstance(reserve(c, "h1", 0, tokens=5_000), Claim)
    answer = reserve(c, "h2", 0, tokens=1)
    assert isinstance(answer, Headroom)
    assert answer.tokens
    assert (answer.tokens.of, answer.tokens.left) == ("this run", 0)


def test_tokens_have_wider_budgets_too() -> None:
    engine = book(tokens=None, task_tokens=100, day_tokens=150)
    with engine.begin() as c:
        assert isinstance(reserve(c, "h1", 0, tokens=80), Claim)
        refused = reserve(c, "h2", 0, SECOND, tokens=30)
        assert isinstance(refused, Headroom)
        assert refused.tokens
        assert (refused.tokens.of, refused.tokens.left) == ("this task", 20)
        refused = reserve(c, "h3", 0, OTHER, tokens=80)
        assert isinstance(refused, Headroom)
        assert refused.tokens
        assert (refused.tokens.of, refused.tokens.left) == ("this repository for the day", 70)
    engine.dispose()


def test_a_threshold_is_told_once_for_each_budget_that_passes_it(c: sa.Connection) -> None:
    told = []
    for number in range(3):
        reserve(c, f"h{number}", 300_000)
        told.append([each.of for each in settle(c, f"h{number}", 300_000).passed])
    assert told == [[], ["this run", "this task", "claude-code for the day"], ["the day"]]
    assert len(c.execute(sa.select(WARNING)).all()) == 4


def test_thresholds_of_tokens_are_told_apart_from_those_of_money() -> None:
    engine = book(tokens=400, task_tokens=1_000)
    with engine.begin() as c:
        told = []
        for number in range(3):
            reserve(c, f"h{number}", 100_000, tokens=100)
            passed = settle(c, f"h{number}", 100_000).passed
            told.append([(each.of, each.unit, each.spent, each.cap) for each in passed])
        assert told == [[], [("this run", "tokens", 200, 400)], []]
    engine.dispose()


def test_a_raised_budget_has_room_again(c: sa.Connection) -> None:
    for number in range(3):
        reserve(c, f"h{number}", 300_000)
    more = Raise(
        approval=ApprovalId("a"), tally="task/aaaaa", of="this task", micros=Micros(100), tokens=0
    )
    assert refused_by(reserve(c, "h4", 200_100, SECOND)) == "this task"
    budgets.grant(c, more, run=SECOND)
    assert isinstance(reserve(c, "h4", 200_100, SECOND), Claim)


def test_a_raise_of_the_run_stands_in_its_row(c: sa.Connection) -> None:
    more = Raise(
        approval=ApprovalId("a"), tally=f"run/{RUN}", of="this run", micros=Micros(7), tokens=0
    )
    budgets.grant(c, more, run=RUN)
    assert tasks.run(c, RUN).budget == DOLLAR + 7


@pytest.mark.parametrize("by", costs.WAYS)
def test_costs_are_filed_under_everything_they_can_be_asked_for(
    c: sa.Connection, by: costs.By
) -> None:
    for hold, run, micros, day in (("h1", RUN, 100, 0), ("h2", OTHER, 300, 1)):
        reserve(c, hold, micros, run, at=NOON + day * DAY)
        settle(c, hold, micros, at=NOON + day * DAY)
    expected = {
        "run": [OTHER, RUN],
        "task": ["bbbbb", "aaaaa"],
        "agent": ["codex", "claude-code"],
        "model": ["m"],
        "day": ["1970-01-11", "1970-01-12"],
        "month": ["1970-01"],
        "repo": ["/r"],
        "user": [""],
        "label": ["docs"],
        "subagent": [""],
        "turn": [f"{OTHER} turn 0", f"{RUN} turn 0"],
        "flow": ["f1"],
        "prices": [""],
        "known": ["metered"],
    }
    lines = costs.costs(c, by)
    assert [line.key for line in lines] == expected[by]
    assert sum(line.micros for line in lines) == 400


def test_what_is_only_an_upper_bound_is_told_apart(c: sa.Connection) -> None:
    for hold, known in (("h1", "metered"), ("h2", "held")):
        reserve(c, hold, 1000)
        settle(c, hold, 100, known=known)  # type: ignore[arg-type]
    (line,) = costs.costs(c, "run")
    assert (line.micros, line.unsure) == (1100, 1000)


@dataclass(frozen=True)
class Pages:
    """A book whose pages are turned back after each schedule, and the caps that stand in it."""

    engine: sa.Engine
    caps: tuple[Cap, ...]


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    engine = book()
    with engine.connect() as c:
        accounts = [budgets.account(c, run) for run in (RUN, SECOND, OTHER)]
    days = ("1970-01-11", "1970-01-12", "1970-02-05")
    yield Pages(
        engine, tuple(cap for who in accounts for day in days for cap in chain(who, CEILINGS, day))
    )
    engine.dispose()


WHAT = (
    "reserve", "reserve", "reserve", "burst", "settle", "settle", "settle", "settle", "lose", "release",
    "crash", "raise",
)  # fmt: skip
PROGRAMS = st.lists(
    st.tuples(st.sampled_from(WHAT), st.integers(0, 2**32 - 1)), min_size=1, max_size=10
)
"""What happens, and a number that says to whom and how much."""
DAYS = (0.0, 0.0, DAY, 25 * DAY)
"""A schedule goes over a midnight and a month's end."""


@settings(
    max_examples=1000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(parallel=st.integers(1, 64), program=PROGRAMS)
def test_no_schedule_passes_any_cap_and_all_sums_are_the_ledgers(
    pages: Pages, parallel: int, program: list[tuple[str, int]]
) -> None:
    with pages.engine.connect() as c:
        schedule = Schedule(c, pages.caps, parallel)
        for what, number in program:
            schedule.play(what, random.Random(number))
        schedule.add_up()
        c.rollback()


class Schedule:
    """Calls of three runs, up to `parallel` of them at a time; after each event nothing is over its cap."""

    def __init__(self, c: sa.Connection, caps: tuple[Cap, ...], parallel: int) -> None:
        self.c = c
        self.parallel = parallel
        self.holds: dict[str, int] = {}
        self.made = 0
        self.money = {cap.key: int(cap.micros) for cap in caps if cap.micros is not None}
        self.tokens = {cap.key: cap.tokens for cap in caps if cap.tokens is not None}

    def play(self, what: str, chance: random.Random) -> None:
        match what:
            case "burst":
                for _ in range(chance.randint(1, self.parallel)):
                    self._reserve(chance, most=DOLLAR // self.parallel)
            case "reserve":
                self._reserve(chance, most=700_000)
            case "crash":
                ledger.settle_lost(self.c, now=NOON, host="here", ceilings=CEILINGS)
                self.holds.clear()
            case "raise":
                self._raise(chance)
            case _:
                self._end(what, chance)
        self._within()

    def add_up(self) -> None:
        """All sums are those of the rows they were made of, and so are costs however they are added up."""
        sums: dict[str, list[int]] = {}
        rows = self.c.execute(sa.select(HOLD, SPEND.c.micros.label("cost")).outerjoin(SPEND))
        for row in rows:
            for key in row.tallies:
                both = sums.setdefault(key, [0, 0])
                both[0] += row.cost or 0
                both[1] += row.micros if row.settled is None else 0
        have = self.c.execute(sa.select(TALLY)).all()
        assert {row.key: [row.spent, row.held] for row in have if row.key in sums} == sums
        total = sum(line.micros for line in costs.costs(self.c, "run"))
        assert total == sum(both[0] for key, both in sums.items() if key.startswith("task/"))

    def _reserve(self, chance: random.Random, *, most: int) -> None:
        if len(self.holds) >= self.parallel:
            return
        self.made += 1
        name, micros = f"h{self.made}", chance.randint(0, most)
        run, at = chance.choice((RUN, SECOND, OTHER)), NOON + chance.choice(DAYS)
        if isinstance(reserve(self.c, name, micros, run, tokens=micros // 1000, at=at), Claim):
            self.holds[name] = micros
        self._within()

    def _end(self, what: str, chance: random.Random) -> None:
        if not self.holds:
            return
        name = chance.choice(sorted(self.holds))
        actual = self.holds.pop(name) * chance.randint(0, 100) // 100
        if what == "release":
            ledger.release(self.c, hold=name, now=NOON)
        else:
            settle(self.c, name, actual, known="held" if what == "lose" else "metered")

    def _raise(self, chance: random.Random) -> None:
        run = chance.choice((RUN, OTHER))
        key = f"task/{run.partition('.')[0]}"
        micros = Micros(chance.randint(0, DOLLAR))
        more = Raise(approval=ApprovalId("a"), tally=key, of="", micros=micros, tokens=0)
        budgets.grant(self.c, more, run=run)
        self.money[key] += micros

    def _within(self) -> None:
        query = "select key, spent + held, tokens + tokens_held from tally"
        for key, micros, tokens in self.c.exec_driver_sql(query):
            assert micros <= self.money.get(key, micros)
            assert tokens <= self.tokens.get(key, tokens)
