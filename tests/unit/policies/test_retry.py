"""After a turn: a person's look, another turn, a pause, or the end."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policies.requests import CheckFact, TurnFacts
from policies.retry import Again, Fail, Park, Review, after_turn

DONE = TurnFacts(
    attempts=1, limit=3, changed=True, agent_failed=False, lost=False, over_budget=False
)
PASSED, FAILED = CheckFact("make test", passed=True), CheckFact("make lint", passed=False)
facts = st.builds(
    TurnFacts,
    attempts=st.integers(1, 5),
    limit=st.integers(1, 5),
    changed=st.booleans(),
    agent_failed=st.booleans(),
    lost=st.booleans(),
    over_budget=st.booleans(),
    checks=st.lists(st.sampled_from([PASSED, FAILED]), max_size=3).map(tuple),
)


def test_a_finished_change_goes_to_a_person() -> None:
    assert isinstance(after_turn(DONE), Review)


def test_a_change_whose_checks_passed_goes_to_a_person() -> None:
    assert after_turn(replace(DONE, checks=(PASSED,))) == Review(
        reason="the agent is done and every check passed"
    )


def test_a_failed_check_brings_another_turn_that_names_it() -> None:
    following = after_turn(replace(DONE, checks=(PASSED, FAILED)))
    assert isinstance(following, Again)
    assert "`make lint`" in following.prompt
    assert "make test" not in following.prompt


def test_a_check_that_still_fails_after_the_last_turn_goes_to_a_person() -> None:
    following = after_turn(replace(DONE, attempts=3, checks=(FAILED,)))
    assert following == Review(reason="`make lint` still failed after 3 turns")


def test_an_agent_that_changed_nothing_has_failed() -> None:
    assert isinstance(after_turn(replace(DONE, changed=False)), Fail)


def test_an_agent_that_ended_with_an_error_has_failed() -> None:
    assert after_turn(replace(DONE, agent_failed=True, changed=False)) == Fail(
        reason="the agent ended with an error; nothing was changed"
    )


def test_an_agent_whose_model_api_is_down_waits_for_that() -> None:
    assert after_turn(replace(DONE, agent_failed=True, outage="anthropic")) == Park(
        "the model API 'anthropic' does not answer; it goes on by itself once that does"
    )


def test_a_model_api_that_fails_and_is_not_missed_changes_nothing() -> None:
    assert after_turn(replace(DONE, outage="anthropic")) == after_turn(DONE)


def test_what_a_failed_agent_changed_is_said_to_be_kept() -> None:
    assert after_turn(replace(DONE, agent_failed=True)) == Fail(
        reason="the agent ended with an error; what it changed is kept on its branch"
    )


def test_a_lost_program_gets_another_turn() -> None:
    assert isinstance(after_turn(replace(DONE, lost=True)), Again)


def test_a_program_lost_in_its_last_turn_has_failed() -> None:
    assert isinstance(after_turn(replace(DONE, lost=True, attempts=3)), Fail)


def test_a_spent_budget_parks_the_run() -> None:
    assert isinstance(after_turn(replace(DONE, over_budget=True)), Park)


@given(facts)
def test_a_run_never_gets_more_turns_than_its_limit(given_facts: TurnFacts) -> None:
    if given_facts.attempts >= given_facts.limit:
        assert not isinstance(after_turn(given_facts), Again)


@given(facts)
def test_a_spent_budget_always_parks(given_facts: TurnFacts) -> None:
    assert isinstance(after_turn(given_facts), Park) is given_facts.over_budget


@given(facts)
def test_only_a_change_is_shown_to_a_person(given_facts: TurnFacts) -> None:
    if isinstance(after_turn(given_facts), Review):
        assert given_facts.changed
        assert not given_facts.agent_failed


def test_a_program_that_ran_out_of_memory_is_told_so() -> None:
    again = after_turn(replace(DONE, lost=True, starved=True))
    assert isinstance(again, Again)
    assert again.prompt.startswith("Your program ran out of memory")


def test_a_program_that_ran_out_of_memory_in_its_last_turn_has_failed_for_that() -> None:
    fail = after_turn(replace(DONE, lost=True, starved=True, attempts=3))
    assert isinstance(fail, Fail)
    assert "ran out of memory" in fail.reason


def test_a_program_killed_before_it_heard_its_prompt_hears_it_the_next_time() -> None:
    killed = replace(DONE, lost=True, unheard="Mend it")
    assert after_turn(killed) == Again(prompt="Mend it")


def test_an_agent_that_cannot_open_its_conversation_is_asked_again() -> None:
    forgetful = replace(DONE, agent_failed=True, resumed=True, unheard="Mend it")
    assert after_turn(forgetful) == Again(prompt="Mend it")
    assert isinstance(after_turn(replace(forgetful, attempts=3)), Fail)


def test_an_agent_that_fails_before_its_first_conversation_has_failed() -> None:
    assert isinstance(after_turn(replace(DONE, agent_failed=True, unheard="Mend it")), Fail)
