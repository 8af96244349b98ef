"""The board: every task once, with what a person wants to know at a glance."""

import re

import pytest
import sqlalchemy as sa

from app.domain.errors import NotFound
from app.domain.ids import RunId
from app.domain.review import CheckResult
from app.domain.run import RunState
from app.store import board, reviews, tasks, turns
from tests.support.rows import REPO, asked, reviewed, stored


def check(command: str) -> CheckResult:
    return CheckResult(command=command, passed=True, code=0, seconds=1.0)


def test_a_task_is_shown_by_its_newest_run(state: sa.Connection) -> None:
    stored(state, "aaaaa", runs=2)
    assert [row.run.id for row in board.rows(state)] == ["aaaaa.2"]


def test_the_newest_task_comes_first(state: sa.Connection) -> None:
    stored(state, "aaaaa", created=1.0)
    stored(state, "bbbbb", created=2.0)
    assert [row.task.id for row in board.rows(state)] == ["bbbbb", "aaaaa"]


def test_only_the_tasks_of_a_repository_are_shown_when_it_is_named(state: sa.Connection) -> None:
    stored(state, "aaaaa")
    stored(state, "bbbbb", repo="/elsewhere")
    assert [row.task.id for row in board.rows(state, "/elsewhere")] == ["bbbbb"]


def test_what_is_in_the_trash_is_on_no_board(state: sa.Connection) -> None:
    stored(state, "aaaaa")
    thrown = stored(state, "bbbbb", state=RunState.FAILED)
    tasks.move(state, thrown, RunState.DISCARDED, at=1.0)
    assert [row.run.id for row in board.rows(state)] == ["aaaaa.1"]
    assert [row.run.id for row in board.rows(state, trash=True)] == ["bbbbb.1"]


def test_the_oldest_open_question_is_shown(state: sa.Connection) -> None:
    run = stored(state)
    answered = asked(state, run, "q1", opened=1.0)
    reviews.answer(state, answered.id, yes=True, by="ada", at=2.0, note="")
    asked(state, run, "q2", opened=2.0)
    asked(state, run, "q3", opened=3.0)
    question = board.row(state, run).question
    assert question
    assert question.request == "q2"


def test_a_review_is_shown_while_a_person_is_to_look_at_it(state: sa.Connection) -> None:
    run = stored(state, state=RunState.IN_REVIEW)
    reviewed(state, run, 1)
    newest = reviewed(state, run, 2)
    assert board.row(state, run).review == newest
    tasks.move(state, run, RunState.MERGING, at=1.0)
    assert board.row(state, run).review is None


def test_checks_are_those_of_the_newest_turn_that_was_checked(state: sa.Connection) -> None:
    run = stored(state)
    for turn, number, command in ((1, 1, "old"), (2, 2, "second"), (2, 1, "first")):
        turns.add_check(state, run, turn, number, check(command))
    assert [each.command for each in board.row(state, run).checks] == ["first", "second"]


def test_what_the_agent_does_is_shown(state: sa.Connection) -> None:
    run = stored(state)
    tasks.update(state, run, activity="thinking", activity_at=5.0)
    row = board.row(state, run)
    assert (row.activity, row.activity_at) == ("thinking", 5.0)


def test_what_belongs_to_another_run_is_not_shown(state: sa.Connection) -> None:
    mine = stored(state, "aaaaa", state=RunState.IN_REVIEW)
    other = stored(state, "bbbbb", state=RunState.IN_REVIEW)
    asked(state, other)
    reviewed(state, other)
    turns.add_check(state, other, 1, 1, check("x"))
    row = board.row(state, mine)
    assert (row.question, row.review, row.checks) == (None, None, ())


def test_a_run_that_is_not_there_is_told(state: sa.Connection) -> None:
    with pytest.raises(NotFound, match=r"there is no run zzzzz\.1"):
        board.row(state, RunId("zzzzz.1"))


def test_of_what_has_landed_only_the_newest_are_listed(state: sa.Connection) -> None:
    for number in range(5):
        stored(state, f"old{number}", state=RunState.MERGED, created=float(number))
    stored(state, "new", state=RunState.FAILED, created=0.0)
    assert [row.task.id for row in board.rows(state, past=2)] == ["old4", "old3", "new"]
    assert tasks.landed(state) == 5


def test_of_what_has_landed_elsewhere_nothing_is_counted(state: sa.Connection) -> None:
    stored(state, "here", state=RunState.MERGED, created=1.0)
    stored(state, "there", state=RunState.MERGED, created=2.0, repo="/elsewhere")
    assert [row.task.id for row in board.rows(state, REPO, past=1)] == ["here"]
    assert tasks.landed(state, REPO) == 1


@pytest.mark.parametrize("number", [1, 60])
def test_the_number_of_queries_does_not_grow_with_the_tasks(
    state: sa.Connection, number: int
) -> None:
    for task in range(number):
        run = stored(state, f"t{task:04}", state=RunState.IN_REVIEW)
        asked(state, run)
        reviewed(state, run)
        turns.add_check(state, run, 1, 1, check("x"))
    said: list[str] = []
    sa.event.listen(state, "before_cursor_execute", lambda *a: said.append(a[2]))
    rows = board.rows(state)
    assert len(rows) == number
    assert all(row.question and row.review and row.checks for row in rows)
    assert len(said) == 7


@pytest.mark.parametrize("repo", ["", "/home/ada/project"])
def test_what_it_lists_is_found_without_looking_at_all_there_ever_was(
    state: sa.Connection, repo: str
) -> None:
    query = tasks.newest(repo, 100).compile(state, compile_kwargs={"literal_binds": True})
    plan = [row[3] for row in state.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]
    assert not [step for step in plan if re.match(r"SCAN (run|task)", step)]
    assert not [step for step in plan if "ix_task_repo" in step]
    assert len([step for step in plan if "run_state_created (state=?)" in step]) == 2


def test_open_questions_are_found_without_looking_at_all_that_were_asked(
    state: sa.Connection,
) -> None:
    query = "SELECT id FROM approval WHERE answer IS NULL ORDER BY opened"
    plan = [row[3] for row in state.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]
    assert plan == ["SCAN approval USING INDEX approval_unanswered"]
