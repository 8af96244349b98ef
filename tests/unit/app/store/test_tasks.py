"""Tasks and runs: found by what a person types, moved only where they may go."""

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import NotFound, NotNow
from app.domain.run import MOVES, RunState, may_move
from app.store import tasks
from app.store.tables import STATE
from tests.support.rows import a_run, a_task, stored


def test_a_task_comes_back_as_it_was_stored(state: sa.Connection) -> None:
    task = a_task(checks=("make test", "make lint"), max_turns=5, approvals="cautious")
    tasks.add_task(state, task)
    assert tasks.task(state, task.id) == task


def test_a_run_comes_back_as_it_was_stored(state: sa.Connection) -> None:
    tasks.add_task(state, a_task())
    run = a_run(branch="swarm/x", snapshot="a" * 40)
    tasks.add_run(state, run)
    assert tasks.run(state, run.id) == run


def test_storing_the_same_run_again_changes_nothing(state: sa.Connection) -> None:
    run = stored(state)
    assert not tasks.add_run(state, a_run(state=RunState.MERGED))
    assert tasks.run(state, run).state == RunState.QUEUED


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("abcde.1", "abcde.1"),
        ("abcde", "abcde.2"),
        ("abc", "abcde.2"),
        ("x", "xyzuv.1"),
    ],
)
def test_a_run_is_found_by_its_id_its_tasks_or_a_beginning(
    state: sa.Connection, typed: str, found: str
) -> None:
    stored(state, "abcde", runs=2)
    stored(state, "xyzuv")
    assert tasks.find(state, typed) == found


@pytest.mark.parametrize("typed", ["", "zz", "abcde.9", "%", "_bcde", "\\"])
def test_what_names_no_run_finds_none(state: sa.Connection, typed: str) -> None:
    stored(state, "abcde")
    stored(state, "abxyz")
    with pytest.raises(NotFound):
        tasks.find(state, typed)


def test_a_beginning_that_two_tasks_have_names_them(state: sa.Connection) -> None:
    stored(state, "abcde")
    stored(state, "abxyz")
    with pytest.raises(NotFound, match="'ab' could be any of abcde, abxyz"):
        tasks.find(state, "ab")


@given(old=st.sampled_from(RunState), new=st.sampled_from(RunState))
def test_only_legal_moves_are_made(old: RunState, new: RunState) -> None:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as c:
        STATE.create_all(c)
        run = stored(c, state=old)
        if may_move(old, new):
            assert tasks.move(c, run, new, at=1.0) == (old != new)
            assert tasks.run(c, run).state == new
        else:
            with pytest.raises(NotNow, match=f"is {old}; it cannot become {new}"):
                tasks.move(c, run, new, at=1.0)
            assert tasks.run(c, run).state == old
    engine.dispose()


def test_a_state_cannot_be_set_aside_of_the_moves(state: sa.Connection) -> None:
    with pytest.raises(ValueError, match=r"by move\(\) only"):
        tasks.update(state, stored(state), state="merged")


def test_going_back_to_work_forgets_the_old_wish_and_end(state: sa.Connection) -> None:
    run = stored(state, state=RunState.WORKING)
    tasks.update(state, run, wish="fail:x")
    tasks.move(state, run, RunState.FAILED, reason="x", at=5.0)
    tasks.move(state, run, RunState.QUEUED, at=6.0)
    assert tasks.run(state, run).ended is None
    assert tasks.column(state, run, "wish") == ""


def test_the_state_before_the_trash_is_kept_even_when_said_twice(state: sa.Connection) -> None:
    run = stored(state, state=RunState.PARKED)
    for at in (1.0, 2.0):
        tasks.move(state, run, RunState.DISCARDED, at=at)
    assert tasks.column(state, run, "before_trash") == RunState.PARKED


def test_a_run_starts_once_however_often_it_is_prepared(state: sa.Connection) -> None:
    run = stored(state)
    tasks.move(state, run, RunState.PREPARING, at=1.0)
    tasks.move(state, run, RunState.FAILED, at=2.0)
    tasks.move(state, run, RunState.QUEUED, at=3.0)
    tasks.move(state, run, RunState.PREPARING, at=4.0)
    assert tasks.run(state, run).started == 1.0


def test_every_state_says_where_it_may_go() -> None:
    assert set(MOVES) == set(RunState)
