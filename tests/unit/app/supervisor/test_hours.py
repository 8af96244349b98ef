"""The time agents have worked: their turns, without what they waited for people."""

import pytest

from app.domain.ids import RunId
from app.store.hours import Stretch, Work
from app.supervisor.hours import worked

RUN = RunId("aaaaa.1")
OTHER = RunId("aaaaa.2")


def of(began: float, ended: float | None, run: RunId = RUN) -> Stretch:
    return Stretch(run=run, began=began, ended=ended)


@pytest.mark.parametrize(
    ("turns", "waits", "seconds"),
    [
        ([of(0, 10)], [], 10),
        ([of(0, None)], [], 100),
        ([of(0, 10), of(20, 25)], [], 15),
        ([of(0, 10)], [of(2, 5)], 7),
        ([of(0, 10)], [of(2, 5), of(3, 6)], 6),
        ([of(0, None)], [of(40, None)], 40),
        ([of(0, 10)], [of(50, 60)], 10),
        ([of(50, 60)], [of(0, 55)], 5),
        ([of(0, 10), of(0, 10, OTHER)], [of(2, 5)], 17),
    ],
)
def test_waiting_for_a_person_is_no_work(
    turns: list[Stretch], waits: list[Stretch], seconds: float
) -> None:
    assert worked(Work(since=0.0, turns=tuple(turns), waits=tuple(waits)), 100.0) == seconds


@pytest.mark.parametrize(
    ("since", "seconds"), [(0, 18), (4, 14), (7, 11), (8, 10), (20, 0), (200, 0)]
)
def test_what_was_before_does_not_count(since: float, seconds: float) -> None:
    work = Work(since=since, turns=(of(0, 10), of(0, 18, OTHER)), waits=(of(0, 10),))
    assert worked(work, 100.0) == seconds
