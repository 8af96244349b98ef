"""The strictest rule that matches decides, and silence means that a person does."""

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from policies.approval import UNKNOWN, decide
from policies.decisions import Allow, Ask, Decision, Deny
from policies.requests import ActionKind, ActionRequest
from policies.rules import Effect, Rule

effects: st.SearchStrategy[Effect] = st.sampled_from(get_args(Effect))
actions: st.SearchStrategy[ActionKind] = st.sampled_from(get_args(ActionKind))
rules = st.builds(
    Rule,
    name=st.text(max_size=4),
    effect=effects,
    reason=st.just("r"),
    actions=st.lists(actions, max_size=2).map(tuple),
    paths=st.lists(st.sampled_from(["*.py", "src/", "a"]), max_size=2).map(tuple),
)
requests = st.builds(
    ActionRequest,
    action=actions,
    detail=st.text(max_size=5),
    paths=st.lists(st.sampled_from(["a", "src/x.py", "b.txt"]), max_size=2).map(tuple),
)


def severity(decision: Decision) -> int:
    return [Allow, Ask, Deny].index(type(decision))


def test_what_no_rule_speaks_about_is_asked() -> None:
    assert decide(ActionRequest(action="read"), ()) == UNKNOWN


@given(requests, st.lists(rules, max_size=6))
def test_the_order_of_rules_does_not_change_how_strict_the_answer_is(
    request: ActionRequest, given_rules: list[Rule]
) -> None:
    there, back = decide(request, given_rules), decide(request, given_rules[::-1])
    assert type(there) is type(back)


@given(requests, st.lists(rules, min_size=1, max_size=6), rules)
def test_a_further_rule_never_loosens_what_some_rule_decided(
    request: ActionRequest, given_rules: list[Rule], further: Rule
) -> None:
    before = decide(request, given_rules)
    after = decide(request, [*given_rules, further])
    assert before == UNKNOWN or severity(after) >= severity(before)


@given(requests, st.lists(rules, max_size=6))
def test_nothing_is_allowed_unless_a_rule_allows_it(
    request: ActionRequest, given_rules: list[Rule]
) -> None:
    if isinstance(decide(request, given_rules), Allow):
        assert any(r.effect == "allow" and r.matches(request) for r in given_rules)
