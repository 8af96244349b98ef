"""Names of models: what they stand for, circles, and what comes after a model that has ended."""

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.models import BadName, Retirement, Target, ending, expand, successor

AGENTS = ("claude-code", "codex", "opencode")
NAMES = {
    "strong": ("claude-code/opus", "codex/sol"),
    "fast": ("codex/terra", "strong"),
    "local": ("opencode",),
}
RETIRED = {
    "a": Retirement(date(2026, 1, 1), "b"),
    "b": Retirement(date(2026, 6, 1), "c"),
    "end": Retirement(date(2026, 1, 1)),
    "x": Retirement(date(2026, 1, 1), "y"),
    "y": Retirement(date(2026, 1, 1), "x"),
}


def test_a_name_stands_for_its_list_in_order_each_once() -> None:
    names = {**NAMES, "all": ("strong", "fast", "codex/sol")}
    assert [str(each) for each in expand("all", names, AGENTS)] == [
        "claude-code/opus",
        "codex/sol",
        "codex/terra",
    ]


def test_an_agent_is_a_name_of_its_own() -> None:
    assert expand("codex", NAMES, AGENTS) == (Target("codex"),)


def test_a_model_id_may_hold_slashes() -> None:
    assert expand("opencode/qwen/coder", NAMES, AGENTS) == (Target("opencode", "qwen/coder"),)


def test_a_name_that_stands_for_itself_is_told_with_the_way_round() -> None:
    names = {"a": ("b",), "b": ("codex", "c"), "c": ("b",)}
    with pytest.raises(BadName, match="stands for itself: b → c → b"):
        expand("a", names, AGENTS)


def test_a_name_of_nobody_is_told_with_the_name_that_led_there() -> None:
    with pytest.raises(BadName, match=r"'codx' is neither an agent .*through top"):
        expand("top", {"top": ("codx/sol",)}, AGENTS)


@given(
    st.dictionaries(
        st.sampled_from("abcdef"),
        st.lists(st.sampled_from([*"abcdef", "codex", "codex/m"]), max_size=4).map(tuple),
    )
)
def test_every_list_of_names_ends_in_agents_or_in_words(names: dict[str, tuple[str, ...]]) -> None:
    for name in names:
        with contextlib.suppress(BadName):
            found = expand(name, names, AGENTS)
            assert len(set(found)) == len(found)
            assert {each.agent for each in found} <= {"codex"}


@pytest.mark.parametrize(
    ("day", "model"),
    [(date(2025, 12, 31), "a"), (date(2026, 1, 1), "b"), (date(2026, 6, 1), "c")],
)
def test_a_model_is_replaced_on_its_day_and_not_before(day: date, model: str) -> None:
    assert successor("a", RETIRED, day) == model


def test_a_model_without_a_successor_has_none() -> None:
    assert successor("end", RETIRED, date(2026, 1, 1)) is None


def test_models_that_replace_each_other_have_no_successor() -> None:
    assert successor("x", RETIRED, date(2026, 1, 1)) is None


def test_an_end_is_spoken_of_a_month_before() -> None:
    assert ending(["a", "b", "c"], RETIRED, date(2025, 12, 1)) == []
    assert ending(["a", "b", "c"], RETIRED, date(2025, 12, 2)) == ["a"]
    assert ending(["b", "a"], RETIRED, date(2026, 5, 2)) == ["a", "b"]
