"""What a person is told who is not looking."""

import time
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.events import Asked, Body, Event, Flagged, Note, StateChanged
from app.domain.ids import ApprovalId, RunId
from app.domain.notices import Notice, due, notice_of, quiet_at
from app.domain.run import RunState

RUN = RunId("k3f9x.1")
NOW = 1_795_010_551.0


def event(body: Body, at: float = NOW) -> Event:
    return Event(seq=1, run=RUN, at=at, body=body)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (Asked(ApprovalId("a"), "rm -rf /"), "k3f9x asks you something"),
        (StateChanged(RunState.IN_REVIEW), "k3f9x is ready for review"),
        (StateChanged(RunState.PARKED, "the budget"), "k3f9x is parked and waits for you"),
        (StateChanged(RunState.FAILED), "k3f9x has failed"),
        (Flagged("cost_spike", "much", "notify"), "k3f9x wants a look (cost spike)"),
    ],
)
def test_what_needs_a_person_is_told_in_words_of_swarms_own(body: Body, text: str) -> None:
    notice = notice_of(event(body))
    assert notice is not None
    assert notice.text() == text


@pytest.mark.parametrize(
    "body", [Note("hello"), StateChanged(RunState.WORKING), Flagged("stall", "quiet", "note")]
)
def test_the_rest_can_wait_until_somebody_looks(body: Body) -> None:
    assert notice_of(event(body)) is None


@given(st.text(max_size=300))
def test_no_goal_gets_anything_but_text_into_a_notice(goal: str) -> None:
    text = Notice(run=RUN, about="failed", what="has failed").text(goal)
    assert text.isprintable()
    assert not set(text) & set(";<>&")
    assert len(text) < 200


def test_what_is_not_wanted_is_not_told() -> None:
    failed = event(StateChanged(RunState.FAILED))
    assert due(failed, about=["review"], quiet="", now=NOW) is None
    assert due(failed, about=["failed"], quiet="", now=NOW) is not None


def test_what_is_long_past_is_not_told() -> None:
    long_ago = event(StateChanged(RunState.FAILED), NOW - 7200)
    assert due(long_ago, about=["failed"], quiet="", now=NOW) is None


@pytest.mark.parametrize(
    ("hours", "clock", "quiet"),
    [
        ("", "03:00", False),
        ("22:00-07:00", "23:30", True),
        ("22:00-07:00", "06:59", True),
        ("22:00-07:00", "07:00", False),
        ("22:00-07:00", "12:00", False),
        ("12:00-13:00", "12:00", True),
        ("12:00-13:00", "13:00", False),
    ],
)
def test_quiet_hours_may_go_past_midnight(hours: str, clock: str, quiet: bool) -> None:
    at = datetime.strptime(f"2026-11-21 {clock}", "%Y-%m-%d %H:%M")  # noqa: DTZ007 - the local clock is meant
    assert quiet_at(hours, time.mktime(at.timetuple())) is quiet
