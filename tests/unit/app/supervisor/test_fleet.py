"""When a host may call others silent, and by which clock it goes."""

from collections.abc import Callable

from app.supervisor.fleet import Clock, Sight

PATIENCE = 60.0


def looking(*times: float) -> list[bool]:
    """What the looks at those times say, the first of them at the start."""
    given = iter(times)
    now: Callable[[], float] = lambda: next(given)  # noqa: E731
    sight = Sight(PATIENCE, now)
    return [sight.look() for _ in times[1:]]


def every(step: int, *, since: int, until: int) -> list[float]:
    return [float(at) for at in range(since, until, step)]


def test_a_host_that_just_started_calls_nobody_silent() -> None:
    assert not any(looking(*every(1, since=0, until=60)))


def test_a_host_that_has_looked_long_enough_does() -> None:
    assert looking(*every(1, since=0, until=62))[-1]


def test_after_the_database_was_away_it_looks_as_long_again() -> None:
    before, after = every(1, since=0, until=100), every(1, since=200, until=259)
    said = looking(*before, *after)
    assert said[98]
    assert not any(said[99:])


def test_a_clock_that_is_nearly_right_is_left_alone() -> None:
    clock = Clock(lambda: 100.0)
    clock.correct(0.9)
    assert clock() == 100.0


def test_a_clock_that_is_wrong_is_put_right() -> None:
    clock = Clock(lambda: 3700.0)
    clock.correct(3600.0)
    assert clock() == 100.0


def test_a_clock_that_was_set_right_is_believed_again() -> None:
    clock = Clock(lambda: 100.0)
    clock.correct(3600.0)
    clock.correct(0.1)
    assert clock() == 100.0
