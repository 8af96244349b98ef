"""Which work counts against which budget of time."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from app.domain.budget import Ceilings, Periods, Raise, chain
from app.domain.ids import RunId
from app.store import audit, budgets, hours, reviews, tasks, turns
from app.store.tables import STATE
from app.store.turns import Turn
from tests.support.rows import a_run, a_task, asked

DAY = "1970-01-11"
MORNING = 10 * 86_400.0
RUN, RACING, OTHER, STRANGE = (RunId(name) for name in ("aaaaa.1", "aaaaa.2", "bbbbb.1", "ccccc.1"))
UNTIL_LOOKED = (f"run/{RUN}", "task/aaaaa", "flow/f")
EVERYBODY = {RUN, RACING, OTHER, STRANGE}
CEILINGS = Ceilings(
    day_seconds=1.0,
    agents={"codex": Periods(month_seconds=1.0)},
    repositories={"/r": Periods(day_seconds=1.0)},
)


@pytest.fixture
def c() -> Iterator[sa.Connection]:
    """Two runs of one task and one of another in one flow, and one of nobody's, all at work this morning."""
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        STATE.create_all(connection)
        fill(connection)
        yield connection
    engine.dispose()


def fill(c: sa.Connection) -> None:
    for name, repo, flow in (("aaaaa", "/r", "f"), ("bbbbb", "/s", "f"), ("ccccc", "/r", "")):
        tasks.add_task(c, a_task(name, repo=repo, flow=flow))
    for run, agent in ((RUN, "codex"), (RACING, "opencode"), (OTHER, "codex"), (STRANGE, "pi")):
        task, number = run.split(".")
        tasks.add_run(c, a_run(task, int(number), agent=agent))
        begin(c, run, 1, MORNING)


def begin(c: sa.Connection, run: RunId, number: int, at: float) -> None:
    turns.add(c, Turn(run=run, number=number, round=1, prompt="", began=at))


def work(c: sa.Connection, key: str) -> hours.Work:
    who = budgets.account(c, RUN)
    (cap,) = (cap for cap in chain(who, CEILINGS, DAY) if cap.key == key)
    return hours.work_under(c, who, cap)


@pytest.mark.parametrize(
    ("key", "whose"),
    [
        (f"run/{RUN}", {RUN}),
        ("task/aaaaa", {RUN, RACING}),
        ("flow/f", {RUN, RACING, OTHER}),
        (f"agent/codex/{DAY}", {RUN, OTHER}),
        ("agent/codex/1970-01", {RUN, OTHER}),
        (f"repository//r/{DAY}", {RUN, RACING, STRANGE}),
        (f"day/{DAY}", EVERYBODY),
        ("month/1970-01", EVERYBODY),
    ],
)
def test_a_budget_counts_the_work_that_it_is_about(
    c: sa.Connection, key: str, whose: set[RunId]
) -> None:
    assert {turn.run for turn in work(c, key).turns} == whose


def test_what_ended_before_the_day_began_is_not_of_it(c: sa.Connection) -> None:
    begin(c, RUN, 2, MORNING - 100)
    end = sa.text("update turn set ended = began + 50 where number = 2")
    c.execute(end)
    assert len(work(c, f"day/{DAY}").turns) == len(EVERYBODY)
    assert work(c, f"day/{DAY}").since == MORNING
    assert len(work(c, "month/1970-01").turns) == len(EVERYBODY) + 1


@pytest.mark.parametrize("deed", ["resumed", "retried", "changes"])
def test_a_persons_deed_begins_the_time_anew(c: sa.Connection, deed: str) -> None:
    audit.record(c, key="1", what=deed, actor="ada", at=MORNING + 60, run=RUN)
    assert {work(c, key).since for key in UNTIL_LOOKED} == {MORNING + 60}


def test_that_of_another_run_only_the_time_of_what_they_share(c: sa.Connection) -> None:
    audit.record(c, key="1", what="resumed", actor="ada", at=MORNING + 60, run=RACING)
    assert [work(c, key).since for key in UNTIL_LOOKED] == [0, MORNING + 60, MORNING + 60]


@pytest.mark.parametrize(
    ("deed", "actor", "run"),
    [("resumed", "swarm", RUN), ("told", "ada", RUN), ("resumed", "ada", STRANGE)],
)
def test_nothing_else_does(c: sa.Connection, deed: str, actor: str, run: RunId) -> None:
    audit.record(c, key="1", what=deed, actor=actor, at=MORNING + 60, run=run)
    assert {work(c, key).since for key in UNTIL_LOOKED} == {0}


def test_questions_of_the_same_runs_come_with_the_work(c: sa.Connection) -> None:
    asked(c, RUN, opened=MORNING + 5)
    asked(c, STRANGE, opened=MORNING + 6)
    assert [wait.began for wait in work(c, "task/aaaaa").waits] == [MORNING + 5]


def test_what_a_person_adds_counts_until_somebody_looks(c: sa.Connection) -> None:
    key = f"run/{RUN}"
    question = asked(c, RUN, opened=MORNING + 5)
    budgets.ask_raise(c, Raise(approval=question.id, tally=key, of="this run", seconds=60))
    assert work(c, key).given == 0
    reviews.answer(c, question.id, yes=True, by="ada", at=MORNING + 9, note="")
    budgets.grant(c, Raise(approval=question.id, tally=key, of="this run", seconds=60), run=RUN)
    assert work(c, key).given == 60
    audit.record(c, key="1", what="resumed", actor="ada", at=MORNING + 70, run=RUN)
    assert work(c, key).given == 0
