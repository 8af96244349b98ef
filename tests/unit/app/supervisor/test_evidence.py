"""Why a run is in its state: each fact says who it is from, how old and how sure it is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.domain.budget import Claim
from app.domain.events import Checked, Event, Flagged
from app.domain.ids import RunId
from app.domain.money import Charge, Micros
from app.domain.review import BOX, FROM_AGENT, CheckResult, Verdict
from app.domain.run import RunState
from app.store import ledger, migrate, rests, reviews, tasks, turns
from app.store.database import make_engine, sqlite_url
from app.store.ledger import Caller
from app.store.turns import Turn
from app.supervisor.evidence import why_of
from app.wire import Fact, Why
from tests.support.rows import a_review, asked, stored

NOW = 100.0
RUN = RunId("aaaaa.1")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[sa.Connection]:
    engines = [make_engine(sqlite_url(tmp_path / name)) for name in ("state.db", "events.db")]
    migrate.upgrade(*engines)
    with engines[0].begin() as connection:
        yield connection
    for engine in engines:
        engine.dispose()


def looked(c: sa.Connection, *told: Event) -> Why:
    run = tasks.run(c, RUN)
    return why_of(c, tasks.task(c, run.task), run, list(told), NOW)


def a_turn(c: sa.Connection, **more: Any) -> None:
    fields: dict[str, Any] = {"number": 1, "round": 1, "prompt": "go", "resumes": "", "began": 10.0}
    turns.add(c, Turn(run=RUN, **(fields | more)))


def test_everything_says_who_it_is_from_how_old_and_how_sure_it_is(state: sa.Connection) -> None:
    stored(state, state=RunState.WORKING, host="h1")
    a_turn(state, ended=60.0, stop_reason="end_turn")
    a_turn(state, number=2, began=61.0, ended=70.0, exit_reason="oom")
    a_turn(state, number=3, began=71.0)
    asked(state, RUN, f"{FROM_AGENT}q1", turn=3, opened=80.0)
    asked(state, RUN, "disk/1", turn=3, opened=81.0, action=BOX)
    tasks.update(state, RUN, activity="Edit: a.py", activity_at=91.0)
    passed = CheckResult(command="make", passed=True, code=0, seconds=1.0)
    turns.add_check(state, RUN, 1, 1, passed)
    why = looked(
        state,
        Event(seq=1, run=RUN, at=65.0, body=Checked(1, passed)),
        Event(seq=2, run=RUN, at=90.0, body=Flagged("loop", "the same again", "note")),
    )
    assert [(fact.source, fact.seen, fact.certainty) for fact in why.evidence] == [
        ("swarm", 1.0, "known"),
        ("swarm", 1.0, "known"),
        ("agent", 60.0, "claimed"),
        ("sandbox", 70.0, "known"),
        ("swarm", 71.0, "known"),
        ("agent", 80.0, "claimed"),
        ("swarm", 81.0, "known"),
        ("check", 65.0, "known"),
        ("gateway", None, "known"),
        ("monitor", 90.0, "guessed"),
        ("agent", 91.0, "claimed"),
    ]


def test_a_cost_that_nobody_measured_is_told_as_the_most_it_can_be(state: sa.Connection) -> None:
    stored(state, state=RunState.WORKING)
    claim = Claim(micros=Micros(20_000), output=1, tokens=0)
    ledger.reserve(state, RUN, Caller(hold="h", model="m"), lambda _room: claim, now=1.0)
    charge = Charge(micros=Micros(0), model="m", known="held")
    ledger.settle(state, hold="h", charge=charge, now=2.0)
    spent = next(fact for fact in looked(state).evidence if fact.source == "gateway")
    assert (spent.what.endswith("; at most"), spent.certainty) == (True, "guessed")


def test_the_question_that_waits_is_the_one_to_answer(state: sa.Connection) -> None:
    stored(state, state=RunState.WAITING)
    first = asked(state, RUN, "q1")
    second = asked(state, RUN, "q2")
    reviews.answer(state, first.id, yes=True, by="ada", at=2.0, note="")
    assert f"swarm answer {second.id} yes" in looked(state).next


@pytest.mark.parametrize("over_budget", [True, False])
def test_more_money_is_named_only_where_it_ran_out(
    state: sa.Connection, *, over_budget: bool
) -> None:
    stored(state, state=RunState.PARKED)
    a_turn(state, ended=60.0, over_budget=over_budget)
    more = " --budget 2.00" if over_budget else ""
    assert looked(state).next[0] == f"swarm resume {RUN}{more}"


def test_a_run_that_waits_for_its_provider_says_when_it_goes_on(state: sa.Connection) -> None:
    stored(state, state=RunState.PARKED)
    rests.put(state, RUN, 130.0, host="h1", why="", upstream="openai")
    assert "goes on by itself in 30 s, once openai answers" in looked(state).words


def test_what_is_approved_and_was_refused_can_be_merged_again(state: sa.Connection) -> None:
    stored(state, state=RunState.IN_REVIEW)
    reviews.add_review(state, a_review(RUN))
    assert f"swarm approve {RUN}" in looked(state).next
    review = reviews.newest_review(state, RUN)
    reviews.decide(state, review.id, Verdict.APPROVE, by="ada", at=2.0, note="")
    assert f"swarm merge {RUN}" in looked(state).next


@pytest.mark.parametrize("at", [RunState.MERGING, RunState.QUEUED])
def test_only_what_can_be_stopped_is_offered_to_be(state: sa.Connection, at: RunState) -> None:
    stored(state, state=at)
    assert (f"swarm stop {RUN}" in looked(state).next) is (at == RunState.QUEUED)


def test_where_it_is_from_is_told_in_a_few_words() -> None:
    said = Fact(what="it works", source="agent", seen=91.0, certainty="claimed")
    assert said.origin("9s") == "agent, 9s ago, its word only"
    assert Fact(what="spent", source="gateway").origin("") == "gateway, now"
