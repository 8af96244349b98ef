"""Only what was approved lands, and only where it was approved to land."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policies.decisions import Allow, Ask, Deny
from policies.merging import may_merge
from policies.requests import CheckFact, MergeRequest

TREE, TIP = "a" * 40, "b" * 40
GOOD = MergeRequest(approved_tree=TREE, result_tree=TREE, approved_tip=TIP, target_tip=TIP)
ids = st.sampled_from(["", "a" * 40, "b" * 40])


def test_exactly_what_was_approved_may_land() -> None:
    assert isinstance(may_merge(GOOD), Allow)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"target_tip": "c" * 40}, "merge/target-moved"),
        ({"result_tree": "c" * 40}, "merge/result-changed"),
        ({"approved_tree": "", "result_tree": ""}, "merge/unapproved"),
        ({"approved_tip": "", "target_tip": ""}, "merge/unapproved"),
        ({"conflicts": ("a.py",)}, "merge/conflicts"),
        ({"blocked": (".git/config",)}, "merge/blocked"),
    ],
)
def test_anything_else_is_denied(change: dict[str, Any], rule: str) -> None:
    decision = may_merge(replace(GOOD, **change))
    assert isinstance(decision, Deny)
    assert decision.rule == rule


def test_a_failed_check_needs_a_person() -> None:
    checks = (CheckFact(command="make", passed=True), CheckFact(command="lint", passed=False))
    decision = may_merge(replace(GOOD, checks=checks))
    assert isinstance(decision, Ask)
    assert decision.reason == "a check did not pass: lint"


def test_passed_checks_do_not_stand_in_the_way() -> None:
    assert isinstance(may_merge(replace(GOOD, checks=(CheckFact("make", passed=True),))), Allow)


def test_a_long_list_is_cut() -> None:
    decision = may_merge(replace(GOOD, conflicts=("a", "b", "c", "d", "e")))
    assert decision.reason.endswith("a, b, c and 2 more")


@given(
    st.builds(
        MergeRequest,
        approved_tree=ids,
        result_tree=ids,
        approved_tip=ids,
        target_tip=ids,
        conflicts=st.lists(st.just("x"), max_size=1).map(tuple),
        blocked=st.lists(st.just("x"), max_size=1).map(tuple),
    )
)
def test_nothing_lands_that_differs_from_what_was_approved(request: MergeRequest) -> None:
    if not isinstance(may_merge(request), Deny):
        assert request.result_tree == request.approved_tree != ""
        assert request.target_tip == request.approved_tip != ""
        assert not request.conflicts
        assert not request.blocked
