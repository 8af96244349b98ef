"""Rules about who gets a task, and what is read off a goal."""

import pytest

from policies.routes import KINDS, Kind, Rule, Want, When, first, kind_of, paths_in

WANT = Want(
    goal="Fix src/io.py", repo="/home/ada/acme", kind="fix", label="security", paths=("src/io.py",)
)


@pytest.mark.parametrize(
    ("goal", "kind"),
    [
        ("Add a --json flag", "implement"),
        ("Fix the flaky test", "fix"),
        ("Mend docs/index.md", "docs"),
        ("Rename the helper. Then fix it.", "refactor"),
        ("Raise the coverage of io", "test"),
        ("Review the last change", "review"),
        ("Bump ruff", "chore"),
        ("Prefix all names", "implement"),
    ],
)
def test_a_goal_says_what_it_is_about(goal: str, kind: Kind) -> None:
    assert kind_of(goal) == kind
    assert kind in KINDS


@pytest.mark.parametrize(
    ("goal", "paths"),
    [
        ("Fix src/io.py and docs/", ("src/io.py", "docs/")),
        ("Fix it. Then rest.", ()),
        ("See https://example.org/a.html", ()),
        ("README.md, README.md.", ("README.md",)),
    ],
)
def test_a_goal_names_files(goal: str, paths: tuple[str, ...]) -> None:
    assert paths_in(goal) == paths


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        (When(), True),
        (When(kind=("docs", "fix")), True),
        (When(kind=("docs",)), False),
        (When(label=("sec*",)), True),
        (When(label=("other",)), False),
        (When(goal=("*IO.py*",)), True),
        (When(paths=("src/**",)), True),
        (When(paths=("docs/**",)), False),
        (When(repo=("acme",)), True),
        (When(flow=("nightly",)), False),
        (When(kind=("fix",), label=("other",)), False),
    ],
)
def test_a_rule_holds_when_all_it_names_does(when: When, holds: bool) -> None:
    assert when.holds(WANT) is holds


def test_a_rule_about_files_says_nothing_of_goals_without_any() -> None:
    assert not When(paths=("**",)).holds(Want(goal="Do it"))


def test_the_first_rule_that_holds_is_followed() -> None:
    rules = [
        Rule(name="no", when=When(kind=("docs",)), use=("a",)),
        Rule(name="yes", use=("b",)),
        Rule(name="late", use=("c",)),
    ]
    found = first(rules, WANT)
    assert found is not None
    assert found.name == "yes"
    assert first(rules[:1], WANT) is None
