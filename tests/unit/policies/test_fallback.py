"""Whether another agent goes on when a run came to rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policies.breaker import EndCause
from policies.fallback import DEFAULT, EndFacts, FallbackRule, Hop, Stay, after_end

RULE = FallbackRule()
FACTS = EndFacts(cause="crash", newest=True, alone=True, hops=0, left=1, others=1)
CAUSES: tuple[EndCause, ...] = (*DEFAULT, "budget", "done", "stopped", "setup")


@pytest.mark.parametrize("cause", DEFAULT)
def test_after_these_another_agent_goes_on(cause: EndCause) -> None:
    assert isinstance(after_end(replace(FACTS, cause=cause), RULE), Hop)


@pytest.mark.parametrize("cause", ["done", "stopped", "setup", "budget"])
def test_after_these_it_does_not(cause: EndCause) -> None:
    assert isinstance(after_end(replace(FACTS, cause=cause), RULE), Stay)


def test_what_a_person_stopped_is_never_handed_on() -> None:
    rule = FallbackRule(after=("done", "stopped", "setup"))
    for cause in rule.after:
        assert isinstance(after_end(replace(FACTS, cause=cause), rule), Stay)


def test_a_spent_budget_is_handed_on_where_that_is_wanted() -> None:
    assert after_end(replace(FACTS, cause="budget"), FallbackRule(after=("budget",))) == Hop(
        "its budget is used up"
    )


@pytest.mark.parametrize(
    "change",
    [{"newest": False}, {"alone": False}, {"hops": 2}, {"left": 0}, {"others": 0}],
)
def test_each_of_these_keeps_it_as_it_is(change: dict[str, int]) -> None:
    assert isinstance(after_end(replace(FACTS, **change), RULE), Stay)


@given(
    st.builds(
        EndFacts,
        cause=st.sampled_from(CAUSES),
        newest=st.booleans(),
        alone=st.booleans(),
        hops=st.integers(0, 5),
        left=st.integers(-5, 5),
        others=st.integers(0, 3),
    )
)
def test_no_hop_without_money_candidates_and_hops_left(facts: EndFacts) -> None:
    if isinstance(after_end(facts, RULE), Hop):
        assert facts.left > 0
        assert facts.others
        assert facts.hops < RULE.hops
