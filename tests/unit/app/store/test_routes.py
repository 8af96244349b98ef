"""Routes are kept as they were; outcomes are read off the states of runs, so that none is missed."""

from typing import Any

import pytest
import sqlalchemy as sa

from app.domain.ids import RunId
from app.domain.review import Verdict
from app.domain.route import Option, Route
from app.domain.run import RunState
from app.store import audit, reviews, routes, tasks
from policies.breaker import EndCause
from tests.support.rows import reviewed, stored


def a_route(run: RunId, **more: Any) -> Route:
    option = Option(target="codex/sol", agent="codex", model="sol", account="openai")
    fields: dict[str, Any] = {
        "at": 5.0,
        "asked": "named",
        "names": ("strong",),
        "kind": "fix",
        "options": (option,),
        "target": "codex/sol",
        "way": "order",
        "why": "it is the only one named",
        **more,
    }
    return Route(run=run, **fields)


def routed(c: sa.Connection, task: str, state: RunState, cause: EndCause = "done") -> RunId:
    """A run that came to that state."""
    run = stored(c, task, state=state)
    routes.add(c, a_route(run))
    routes.end(c, tasks.run(c, run), cause, 9.0)
    return run


def worth(c: sa.Connection) -> dict[str, str]:
    routes.collect(c)
    return {outcome.run: outcome.worth for outcome in routes.outcomes(c)}


def test_a_route_is_read_as_it_was_written(state: sa.Connection) -> None:
    run = stored(state)
    assert routes.add(state, a_route(run))
    assert not routes.add(state, a_route(run, why="another"))
    assert routes.route(state, run) == a_route(run)
    assert routes.routes_of(state, tasks.run(state, run).task) == (a_route(run),)
    assert routes.at_work(state) == (("scripted", "openai"),)


@pytest.mark.parametrize(
    ("came_to", "cause", "expected"),
    [
        (RunState.MERGED, "done", "accepted"),
        (RunState.DISCARDED, "done", "rejected"),
        (RunState.FAILED, "crash", "rejected"),
        (RunState.FAILED, "setup", None),
        (RunState.CANCELLED, "stopped", None),
        (RunState.IN_REVIEW, "done", None),
        (RunState.PARKED, "budget", None),
    ],
)
def test_a_state_says_what_a_run_was_worth(
    state: sa.Connection, came_to: RunState, cause: EndCause, expected: str | None
) -> None:
    run = routed(state, "aaaaa", came_to, cause)
    assert worth(state).get(run) == expected


def test_what_was_sent_back_before_it_landed_was_reworked(state: sa.Connection) -> None:
    run = routed(state, "aaaaa", RunState.MERGED)
    review = reviewed(state, run)
    reviews.decide(state, review, Verdict.CHANGES, by="ada", at=2.0, note="mend it")
    assert worth(state) == {run: "reworked"}


def test_what_is_taken_back_was_not_accepted(state: sa.Connection) -> None:
    run = routed(state, "aaaaa", RunState.MERGED)
    assert worth(state) == {run: "accepted"}
    audit.record(state, key="u", what="undone", actor="ada", at=9.0, run=run)
    assert worth(state) == {run: "rejected"}
    assert routes.collect(state) == 0


def test_a_review_that_another_run_has_beaten_is_rejected(state: sa.Connection) -> None:
    second = stored(state, "aaaaa", runs=2, state=RunState.IN_REVIEW)
    for run in (RunId("aaaaa.1"), second):
        routes.add(state, a_route(run))
    assert worth(state) == {}
    tasks.move(state, second, RunState.MERGING, at=3.0)
    tasks.move(state, second, RunState.MERGED, at=4.0)
    assert worth(state) == {"aaaaa.1": "rejected", second: "accepted"}


def test_ends_are_told_with_what_they_were_routed_to(state: sa.Connection) -> None:
    routed(state, "aaaaa", RunState.FAILED, "crash")
    [ended] = routes.ends_since(state, 0.0)
    assert (ended.target, ended.account, ended.cause, ended.ended) == (
        "codex/sol", "openai", "crash", 9.0,
    )  # fmt: skip
    assert routes.ends_since(state, 100.0) == ()
