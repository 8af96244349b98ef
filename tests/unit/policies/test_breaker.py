"""A breaker follows from the runs alone: it opens after failures in a row, and lets one try through."""

from hypothesis import given
from hypothesis import strategies as st

from policies.breaker import (
    FAILURES,
    Breaker,
    BreakerRule,
    Closed,
    EndCause,
    Open,
    Past,
    Probe,
    breaker,
)

RULE = BreakerRule(failures=3, window=300.0, pause=60.0)


def runs(*ends: tuple[float, EndCause]) -> list[Past]:
    return [Past(at - 10, at, cause) for at, cause in ends]


def crashes(*at: float) -> list[Past]:
    return runs(*((each, "crash") for each in at))


def state(past: list[Past], now: float) -> Breaker:
    return breaker(past, RULE, now)


def test_two_failures_leave_it_closed() -> None:
    assert state(crashes(100, 110), 120) == Closed()


def test_three_in_a_row_open_it_for_a_minute() -> None:
    opened = state(crashes(100, 110, 120), 130)
    assert opened == Open(180, "its last 3 runs failed (crash)")


def test_failures_far_apart_do_not() -> None:
    assert state(crashes(100, 300, 500), 510) == Closed()


def test_a_success_between_them_does_not_either() -> None:
    past = runs((100, "crash"), (110, "done"), (120, "crash"), (130, "crash"))
    assert state(past, 140) == Closed()


def test_what_a_person_stopped_says_nothing() -> None:
    past = runs((100, "error"), (110, "stopped"), (120, "outage"), (130, "setup"), (140, "crash"))
    assert isinstance(state(past, 150), Open)


def test_failed_checks_are_the_tasks_fault() -> None:
    assert state(runs((1, "checks"), (2, "stuck"), (3, "budget"), (4, "checks")), 5) == Closed()


def test_after_a_minute_one_try_is_let_through() -> None:
    assert isinstance(state(crashes(100, 110, 120), 180), Probe)


def test_while_the_try_is_under_way_there_is_no_other() -> None:
    assert isinstance(state([*crashes(100, 110, 120), Past(181)], 190), Open)


def test_a_try_that_fails_opens_it_again() -> None:
    assert isinstance(state(crashes(100, 110, 120, 190), 200), Open)


def test_a_try_that_succeeds_closes_it() -> None:
    assert state([*crashes(100, 110, 120), Past(181, 190, "done")], 200) == Closed()


@given(
    st.lists(st.tuples(st.floats(0, 1e4), st.sampled_from(sorted(FAILURES))), max_size=8),
    st.floats(0, 2e4),
)
def test_it_never_stays_open_for_ever(ends: list[tuple[float, EndCause]], now: float) -> None:
    found = state(runs(*ends), now)
    if isinstance(found, Open):
        assert not isinstance(state(runs(*ends), found.until), Open)
