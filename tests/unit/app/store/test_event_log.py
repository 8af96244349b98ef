"""The event log: append-only, each key once, numbered over all runs."""

import sqlalchemy as sa

from app.domain.events import Body, Checked, Note, StateChanged
from app.domain.ids import RunId
from app.domain.review import CheckResult
from app.domain.run import RunState
from app.store import event_log
from app.store.event_log import Entry
from harnesses.events import MessageChunk

A, B = RunId("aaaaa.1"), RunId("bbbbb.1")


def entry(key: str, run: RunId = A, body: Body | None = None) -> Entry:
    return Entry(run, key, 1.5, body or Note(key))


def test_events_come_back_as_they_were_and_in_order(log: sa.Connection) -> None:
    result = CheckResult(command="make", passed=False, code=None, seconds=0.5, tail="\x1b ☃")
    bodies: list[Body] = [
        StateChanged(RunState.WORKING, "why"),
        MessageChunk("hello\n", "m1"),
        Checked(1, result),
    ]
    event_log.append(log, [entry(str(n), A, body) for n, body in enumerate(bodies)])
    assert [event.body for event in event_log.after(log, 0)] == bodies


def test_the_same_key_of_the_same_run_is_kept_once(log: sa.Connection) -> None:
    event_log.append(log, [entry("k"), entry("k", B)])
    event_log.append(log, [entry("k", A, Note("another")), entry("l")])
    assert [(event.run, event.body) for event in event_log.after(log, 0)] == [
        (A, Note("k")),
        (B, Note("k")),
        (A, Note("l")),
    ]


def test_reading_goes_on_after_a_number(log: sa.Connection) -> None:
    event_log.append(log, [entry(str(n)) for n in range(10)])
    first = event_log.after(log, 0, limit=4)
    rest = event_log.after(log, first[-1].seq)
    assert [event.body for event in [*first, *rest]] == [Note(str(n)) for n in range(10)]


def test_one_run_can_be_read_alone(log: sa.Connection) -> None:
    event_log.append(log, [entry("1"), entry("2", B), entry("3")])
    assert [event.body for event in event_log.after(log, 0, run=A)] == [Note("1"), Note("3")]


def test_the_last_number_of_an_empty_log_is_zero(log: sa.Connection) -> None:
    assert event_log.last(log) == 0


def test_numbers_are_never_given_again(log: sa.Connection) -> None:
    event_log.append(log, [entry("1"), entry("2")])
    log.exec_driver_sql("delete from event")
    event_log.append(log, [entry("3")])
    assert event_log.last(log) == 3
