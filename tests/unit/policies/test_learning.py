"""What history says: weighed evidence, and a choice that repeats itself for the same seed."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.learning import (
    Lesson,
    Past,
    Score,
    Worth,
    best,
    cost_of_acceptance,
    drawn,
    enough,
    scores,
)

DAY = 86_400.0
NOW = 1_000 * DAY
LESSON = Lesson()
WORTHS: tuple[Worth, ...] = ("accepted", "reworked", "rejected")


def past(target: str = "a", worth: Worth = "accepted", **more: object) -> Past:
    fields = {"micros": 500_000, "at": NOW, "kind": "fix", "repo": "/r", **more}
    return Past(target=target, worth=worth, **fields)  # type: ignore[arg-type]


def score(*runs: Past, target: str = "a") -> Score:
    [found] = scores(runs, [target], kind="fix", repo="/r", lesson=LESSON, now=NOW)
    return found


def test_a_change_that_was_sent_back_counts_a_half() -> None:
    found = score(past(), past(worth="reworked"), past(worth="rejected"))
    assert (found.outcomes, found.accepted, found.rejected) == (3, 1.5, 1.5)


def test_evidence_halves_in_its_half_life() -> None:
    assert score(past(at=NOW - 45 * DAY)).accepted == 0.5


@pytest.mark.parametrize(
    ("more", "weight"), [({"kind": "docs"}, 0.5), ({"repo": "/other"}, 0.2), ({}, 1.0)]
)
def test_what_is_less_alike_counts_less(more: dict[str, Any], weight: float) -> None:
    assert score(past(**more)).accepted == weight


def test_an_accepted_change_costs_what_the_rejected_ones_cost_too() -> None:
    assert cost_of_acceptance(500_000, 1.0, LESSON) == 500_000
    assert cost_of_acceptance(500_000, 0.5, LESSON) == 2_000_000


def test_cheap_but_never_accepted_is_dear() -> None:
    cheap = [past("cheap", "rejected", micros=20_000) for _ in range(20)]
    good = [past("good", micros=1_600_000) for _ in range(20)]
    found = scores(
        [*cheap, *good], ["cheap", "good"], kind="fix", repo="/r", lesson=LESSON, now=NOW
    )
    assert found[0].expected is not None
    assert found[1].expected is not None
    assert found[0].expected > found[1].expected


def test_below_twenty_outcomes_history_does_not_speak() -> None:
    known = scores([past()] * 19, ["a", "b"], kind="fix", repo="/r", lesson=LESSON, now=NOW)
    assert not enough(known, LESSON)
    more = scores([past()] * 20, ["a", "b"], kind="fix", repo="/r", lesson=LESSON, now=NOW)
    assert enough(more, LESSON)


def test_two_hundred_outcomes_replayed_give_the_same_choices() -> None:
    chance = random.Random(5)
    known = [
        past(chance.choice("abcd"), chance.choice(WORTHS), micros=chance.randrange(2_000_000))
        for _ in range(200)
    ]

    def choices() -> list[str]:
        return [
            best(
                drawn(
                    scores(known[:n], list("abcd"), kind="fix", repo="/r", lesson=LESSON, now=NOW),
                    LESSON,
                    n,
                )
            )
            for n in range(200)
        ]

    first = choices()
    assert choices() == first
    assert "".join(first[150:]) == GOLDEN


GOLDEN = "adbddddddddddddddddddcddddbdddddddddddddddcddddddd"


@given(
    st.lists(
        st.builds(
            past,
            target=st.sampled_from("ab"),
            worth=st.sampled_from(WORTHS),
            micros=st.integers(0, 10**9),
            at=st.floats(0, NOW),
        ),
        max_size=30,
    ),
    st.integers(0, 2**32),
)
def test_a_draw_is_a_price_and_the_lowest_is_best(known: list[Past], seed: int) -> None:
    found = drawn(
        scores(known, ["a", "b", "new"], kind="fix", repo="/r", lesson=LESSON, now=NOW),
        LESSON,
        seed,
    )
    assert all(each.drawn is not None and each.drawn >= 0 for each in found)
    chosen = next(each for each in found if each.target == best(found))
    assert chosen.drawn == min(each.drawn or 0 for each in found)
