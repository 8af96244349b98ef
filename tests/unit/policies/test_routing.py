"""The choice: what cannot is left out, then order or history, then a share for trying others."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policies.learning import Score
from policies.routing import Option, Question, choose

A, B, C = Option(target="a"), Option(target="b"), Option(target="c")
GOOD = Score(target="b", outcomes=30, accepted=29.0, rejected=1.0, micros=100_000)
POOR = Score(target="a", outcomes=30, accepted=1.0, rejected=29.0, micros=100_000)
ASKED = Question(options=(A, B), scores=(POOR, GOOD))


def chosen(question: Question) -> tuple[str, str, str]:
    found = choose(question)
    assert found is not None
    return found.target, found.way, found.shadow


def test_the_first_that_can_gets_it() -> None:
    assert chosen(Question(options=(replace(A, dropped="it is down"), B))) == ("b", "order", "")


def test_when_nobody_can_there_is_no_choice() -> None:
    assert choose(Question(options=(replace(A, dropped="x"),))) is None
    assert choose(Question(options=())) is None


def test_learning_that_is_off_says_nothing() -> None:
    assert chosen(ASKED) == ("a", "order", "")


def test_in_the_shadow_history_only_speaks() -> None:
    assert chosen(replace(ASKED, learning="shadow")) == ("a", "order", "b")


def test_history_chooses_when_it_may() -> None:
    assert chosen(replace(ASKED, learning="on")) == ("b", "learned", "b")


def test_history_never_chooses_who_cannot() -> None:
    options = (A, replace(B, dropped="it is down"), C)
    assert chosen(replace(ASKED, options=options, learning="on"))[0] != "b"


def test_too_little_history_leaves_the_order() -> None:
    few = (replace(POOR, outcomes=5), replace(GOOD, outcomes=5))
    assert chosen(replace(ASKED, scores=few, learning="on")) == ("a", "order", "")


def test_a_share_of_tasks_tries_another_one() -> None:
    ways = [
        chosen(replace(ASKED, learning="on", explore=0.1, seed=seed))[:2] for seed in range(2000)
    ]
    assert set(ways) == {("b", "learned"), ("a", "explored")}
    assert 150 < ways.count(("a", "explored")) < 250


def test_exploring_never_happens_in_the_shadow() -> None:
    assert chosen(replace(ASKED, learning="shadow", explore=1.0))[1] == "order"


options = st.lists(
    st.builds(Option, target=st.sampled_from("abcde"), dropped=st.sampled_from(["", "down"])),
    unique_by=lambda option: option.target,
).map(tuple)
known = st.lists(
    st.builds(
        Score,
        target=st.sampled_from("abcde"),
        outcomes=st.integers(0, 50),
        accepted=st.floats(0, 50),
        rejected=st.floats(0, 50),
        micros=st.integers(0, 10**7),
    ),
    unique_by=lambda score: score.target,
).map(tuple)


@given(
    st.builds(
        Question,
        options=options,
        scores=known,
        learning=st.sampled_from(["off", "shadow", "on"]),
        explore=st.floats(0, 1),
        seed=st.integers(0, 2**32),
    )
)
def test_the_choice_is_somebody_who_can_and_always_the_same(question: Question) -> None:
    found = choose(question)
    assert found == choose(question)
    able = {option.target for option in question.options if not option.dropped}
    assert (found is None) == (not able)
    assert found is None or found.target in able
