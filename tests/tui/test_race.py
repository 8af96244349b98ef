"""Several agents at one task: beside each other on the screen, and one of them looked at closer."""

import pytest

from app import wire
from app.domain import events as own
from app.domain.events import Event
from app.domain.ids import ReviewId, RunId, TaskId
from app.domain.review import CheckResult, FileChange
from app.domain.run import RunState
from app.tui.model.fleet import Fleet
from tests.support.fleet import NOW, RecordedSwarm, Recording, app_over, review, row
from tests.support.screens import seen

_S = RunState
PASSED = CheckResult(command="make test", passed=True, code=0, seconds=1.0, tail="")
FAILED = CheckResult(command="make test", passed=False, code=1, seconds=1.0, tail="")


def candidate(number: int, agent: str, state: RunState, **more: object) -> wire.RunRow:
    return row("race1", "make it fast", state, agent=agent, number=number, **more)  # type: ignore[arg-type]


def rows() -> list[wire.RunRow]:
    ready = {
        "review": ReviewId("race1.2-r1"),
        "checks": (PASSED,),
        "lines": (9, 2, 2),
        "spent": 0.5,
    }
    return [
        candidate(1, "claude-code", _S.WORKING, spent=0.25, lines=(40, 1, 3)),
        candidate(2, "codex", _S.IN_REVIEW, **ready),
        candidate(3, "opencode", _S.FAILED, checks=(FAILED,), spent=1.0, reason="gave up"),
    ]


@pytest.fixture
def racing() -> RecordedSwarm:
    recording = Recording(rows=rows())
    files = (
        FileChange(path="src/fast.py", status="modified", insertions=8, deletions=2),
        FileChange(path="docs/fast.md", status="added", insertions=1, deletions=0),
    )
    recording.reviews.append(review(RunId("race1.2"), files))
    return RecordedSwarm(recording)


def loaded() -> Fleet:
    fleet = Fleet()
    fleet.load(wire.Board(rows=tuple(rows()), seq=1, now=NOW))
    return fleet


async def test_every_candidate_stands_beside_the_others(racing: RecordedSwarm) -> None:
    async with app_over(racing).run_test(notifications=True, size=(120, 30)) as pilot:
        await pilot.press("equals_sign")
        screen = await seen(pilot, "3 runs · 1 ready for review · $1.75 together")
        lines = {
            run: next(t for t in screen.splitlines() if run in t) for run in ("race1.1", "race1.2")
        }
        assert "claude-code" in lines["race1.1"]
        assert "1/1" in lines["race1.2"]
        assert "gave up" in screen


async def test_the_files_of_each_are_shown_with_how_much_of_them(racing: RecordedSwarm) -> None:
    async with app_over(racing).run_test(notifications=True, size=(120, 30)) as pilot:
        await pilot.press("equals_sign")
        screen = await seen(pilot, "src/fast.py")
        assert "A +1" in next(line for line in screen.splitlines() if "docs/fast.md" in line)


async def test_a_candidate_is_opened_and_stands_for_its_task_from_then_on(
    racing: RecordedSwarm,
) -> None:
    async with app_over(racing).run_test(notifications=True, size=(120, 30)) as pilot:
        await pilot.press("equals_sign")
        await seen(pilot, "3 runs")
        await pilot.press("enter")
        await seen(pilot, "claude-code")
        await pilot.press("escape")
        await seen(pilot, "3 runs")
        await pilot.press("j", "enter")
        await seen(pilot, "REVIEW race1.2")


async def test_forty_columns_are_enough_to_see_who_is_ready(racing: RecordedSwarm) -> None:
    async with app_over(racing).run_test(notifications=True, size=(40, 10)) as pilot:
        await pilot.press("equals_sign")
        assert "race1.2" in await seen(pilot, "COMPARE")


def test_the_one_that_needs_me_most_stands_for_the_task() -> None:
    assert loaded().rows[TaskId("race1")].run.id == "race1.2"


def test_the_one_that_was_chosen_stays_when_the_board_is_read_again() -> None:
    fleet = loaded()
    assert fleet.choose(rows()[0])
    fleet.load(wire.Board(rows=tuple(rows()), seq=2, now=NOW))
    assert fleet.rows[TaskId("race1")].run.id == "race1.1"


def test_what_a_rival_does_asks_for_no_new_board() -> None:
    fleet = loaded()
    fleet.apply(Event(seq=2, run=RunId("race1.1"), at=NOW, body=own.Snapshotted("6" * 40, 1, 2, 3)))
    assert not fleet.stale
    assert fleet.rivals[RunId("race1.1")].run.insertions == 2


def test_a_run_that_does_not_race_cannot_stand_for_the_task() -> None:
    assert not loaded().choose(candidate(4, "codex", _S.FAILED))
