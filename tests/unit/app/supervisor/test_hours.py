"""The time an agent has worked: its turns, without what it waited for people."""

import pytest

from app.domain.ids import ApprovalId, RunId
from app.domain.review import Approval
from app.store.turns import Turn
from app.supervisor.hours import worked

RUN = RunId("aaaaa.1")


def turn(began: float, ended: float | None) -> Turn:
    return Turn(run=RUN, number=1, round=1, prompt="", began=began, ended=ended)


def wait(opened: float, answered: float | None) -> Approval:
    return Approval(
        id=ApprovalId("a"), run=RUN, turn=1, request="", title="", action="other",
        opened=opened, answered=answered,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("turns", "waits", "seconds"),
    [
        ([turn(0, 10)], [], 10),
        ([turn(0, None)], [], 100),
        ([turn(0, 10), turn(20, 25)], [], 15),
        ([turn(0, 10)], [wait(2, 5)], 7),
        ([turn(0, 10)], [wait(2, 5), wait(3, 6)], 6),
        ([turn(0, None)], [wait(40, None)], 40),
        ([turn(0, 10)], [wait(50, 60)], 10),
        ([turn(50, 60)], [wait(0, 55)], 5),
    ],
)
def test_waiting_for_a_person_is_no_work(
    turns: list[Turn], waits: list[Approval], seconds: float
) -> None:
    assert worked(turns, waits, 100.0) == seconds
