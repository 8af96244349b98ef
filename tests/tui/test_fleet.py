"""The board's read-model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import wire
from app.domain import events as own
from app.domain.events import Body, Event
from app.domain.ids import ApprovalId, ReviewId, RunId
from app.domain.review import CheckResult, Verdict
from app.domain.run import RunState
from app.tui.model.fleet import NEEDS_ME, RANKS, Fleet
from app.tui.model.show import brief, state_of
from harnesses import events as agent
from tests.support.fleet import NOW, RecordedSwarm, question, row
from tests.support.story import story

RUN = RunId("aaaaa.1")


def fleet_of(*rows: wire.RunRow, seq: int = 0) -> Fleet:
    fleet = Fleet()
    fleet.load(wire.Board(rows=rows, seq=seq, now=NOW))
    return fleet


def event(seq: int, body: Body, run: RunId = RUN) -> Event:
    return Event(seq=seq, run=run, at=NOW, body=body)


working = row("aaaaa", "work", RunState.WORKING)

bodies: st.SearchStrategy[Body] = st.one_of(
    st.builds(own.StateChanged, st.sampled_from(RunState), st.text(max_size=5)),
    st.builds(own.Spent, st.just(5), st.integers(0, 10**7), st.just("m"), st.just(1), st.just(1)),
    st.builds(own.Snapshotted, st.just("c" * 40), st.integers(0, 9), st.integers(0, 99), st.integers(0, 99)),
    st.builds(own.Asked, st.sampled_from([ApprovalId("aaaaa.1-a1")]), st.text(max_size=9)),
    st.builds(own.Answered, st.just(ApprovalId("aaaaa.1-a1")), st.sampled_from(["yes", "no"]), st.just("ada")),
    st.builds(own.ReviewOpened, st.just(ReviewId("aaaaa.1-r1")), st.just("tree")),
    st.builds(own.Decided, st.just(ReviewId("aaaaa.1-r1")), st.sampled_from(Verdict), st.just("ada")),
    st.builds(agent.ToolCall, st.text(max_size=3), st.text(max_size=30)),
    st.builds(agent.MessageChunk, st.text(max_size=30)),
)  # fmt: skip


@given(st.lists(bodies, max_size=30))
def test_the_fold_never_fails_and_its_order_is_always_needs_me_first(told: list[Body]) -> None:
    fleet = fleet_of(working, row("bbbbb", "other", RunState.MERGED))
    for seq, body in enumerate(told, 1):
        fleet.apply(event(seq, body))
    ranks = [RANKS[state_of(each)] for each in fleet.ordered()]
    assert ranks == sorted(ranks)


@given(st.lists(bodies, max_size=20), st.integers(0, 20))
def test_an_event_seen_twice_changes_nothing(told: list[Body], again_from: int) -> None:
    once, twice = fleet_of(working), fleet_of(working)
    events = [event(seq, body) for seq, body in enumerate(told, 1)]
    for each in events:
        once.apply(each)
        twice.apply(each)
    for each in events[again_from:]:
        twice.apply(each)
    assert once.rows == twice.rows


@given(st.lists(bodies, max_size=20), st.integers(0, 20))
def test_events_before_a_loaded_board_are_ignored(told: list[Body], cut: int) -> None:
    fleet = fleet_of(working, seq=cut)
    for seq, body in enumerate(told[:cut], 1):
        assert not fleet.apply(event(seq, body))
    assert fleet.rows[working.task.id] == working


def test_every_state_has_a_rank() -> None:
    assert set(RANKS) == set(RunState)


def test_who_waits_longest_for_me_comes_first() -> None:
    late = row("aaaaa", "late", RunState.IN_REVIEW, minutes=5)
    early = row("bbbbb", "early", RunState.IN_REVIEW, minutes=50)
    assert [each.task.goal for each in fleet_of(late, early).ordered()] == ["early", "late"]


def test_an_open_question_comes_before_everything_else() -> None:
    asking = row("ccccc", "asking", RunState.WORKING, question=question(RunId("ccccc.1"), "may I?"))
    fleet = fleet_of(row("aaaaa", "review", RunState.IN_REVIEW), asking)
    assert fleet.ordered()[0].task.goal == "asking"


def test_spending_moves_the_total() -> None:
    fleet = fleet_of(working)
    fleet.apply(event(1, own.Spent(5, 1_500_000, "m", 1, 1)))
    assert fleet.counts().spent == 1_500_000


def test_a_settled_run_counts_what_it_spent_not_what_it_might_have() -> None:
    fleet = fleet_of(row("aaaaa", "done", RunState.MERGED, spent=0.5, budget=2.0))
    assert fleet.counts().budget == 500_000


def test_a_question_shows_as_waiting_and_is_gone_once_answered() -> None:
    fleet = fleet_of(working)
    fleet.apply(event(1, own.Asked(ApprovalId("aaaaa.1-a1"), "may I?")))
    asked = fleet.counts().states
    fleet.apply(event(2, own.Answered(ApprovalId("aaaaa.1-a1"), "yes", "ada")))
    assert (asked, fleet.counts().states) == ({RunState.WAITING: 1}, {RunState.WORKING: 1})


def test_a_review_waits_from_the_moment_it_is_there() -> None:
    fleet = fleet_of(working)
    fleet.apply(event(1, own.StateChanged(RunState.IN_REVIEW)))
    assert fleet.rows[working.task.id].activity_at == NOW


def test_a_new_turn_forgets_the_checks_of_the_one_before() -> None:
    failed = CheckResult(command="make test", passed=False, code=1, seconds=1.0)
    fleet = fleet_of(working)
    fleet.apply(event(1, own.Checked(1, failed)))
    fleet.apply(event(2, own.TurnStarted(2, "again")))
    assert fleet.rows[working.task.id].checks == ()


def test_a_run_nobody_knows_makes_the_board_stale() -> None:
    fleet = fleet_of(working)
    fleet.apply(event(1, own.StateChanged(RunState.QUEUED), RunId("zzzzz.1")))
    assert fleet.stale


def test_a_run_the_board_does_not_list_is_asked_about_only_once() -> None:
    fleet = fleet_of(working)
    fleet.apply(event(1, own.StateChanged(RunState.QUEUED), RunId("zzzzz.1")))
    fleet.load(wire.Board(rows=(working,), seq=1, now=NOW))
    fleet.apply(event(2, own.StateChanged(RunState.WORKING), RunId("zzzzz.1")))
    assert not fleet.stale


def test_events_of_an_earlier_run_of_the_task_do_not_touch_the_newest() -> None:
    second = row("aaaaa", "work", RunState.WORKING, number=2)
    fleet = fleet_of(second)
    fleet.apply(event(1, own.StateChanged(RunState.FAILED), RunId("aaaaa.1")))
    assert fleet.rows[second.task.id] == second


def test_a_newer_run_of_the_task_makes_the_board_stale() -> None:
    fleet = fleet_of(working)
    fleet.apply(event(1, own.StateChanged(RunState.QUEUED), RunId("aaaaa.2")))
    assert fleet.stale


def test_the_filter_wants_every_word() -> None:
    fleet = fleet_of(
        row("aaaaa", "fix the parser", RunState.WORKING), row("bbbbb", "fix docs", RunState.WORKING)
    )
    assert [each.task.id for each in fleet.ordered("FIX docs")] == ["bbbbb"]


@pytest.mark.parametrize("words", ["acme", "review", "sonnet"])
def test_the_filter_looks_at_what_the_board_says_of_a_run(words: str) -> None:
    fleet = fleet_of(row("aaaaa", "fix the parser", RunState.IN_REVIEW))
    assert len(fleet.ordered(words)) == 1


def test_the_filter_finds_who_asks_by_the_word_on_the_board() -> None:
    fleet = fleet_of(
        row("aaaaa", "a", RunState.WORKING, question=question(RunId("aaaaa.1"), "may I?")),
        row("bbbbb", "b", RunState.WORKING),
    )
    assert [each.task.id for each in fleet.ordered("asks")] == ["aaaaa"]


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Bash: ls -la src/shop", "ls -la src/shop"),
        ("Run: ls -la src/shop", "ls -la src/shop"),
        ("Edit: src/shop/cart.py", "edit cart.py"),
        ("thinks", "thinks"),
    ],
)
def test_what_an_agent_does_is_told_in_a_column(title: str, words: str) -> None:
    assert brief(title) == words


async def test_what_needs_me_is_what_the_first_rows_are() -> None:
    fleet = Fleet()
    fleet.load(await RecordedSwarm(story()).board())
    wanting = fleet.needing_me()
    assert wanting == fleet.ordered()[: len(wanting)]
    assert {state_of(each) for each in wanting} <= NEEDS_ME
