"""Rules match what they name, and a permission covers all that is asked for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.decisions import Allow, Ask, Deny
from policies.requests import ActionRequest
from policies.rules import BadRule, Rule, parse, split_command


def rule(effect: str = "allow", **parts: Any) -> Rule:
    item = {"name": "r", "effect": effect, "reason": "because", **parts}
    return parse("test", {"rules": [item]})[0]


def command(line: str) -> ActionRequest:
    return ActionRequest(action="execute", tool="Bash", detail=line)


def edit(*paths: str) -> ActionRequest:
    return ActionRequest(action="edit", tool="Write", paths=paths)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.lock", "uv.lock", True),
        ("*.lock", "a/b/uv.lock", True),
        ("*.lock", "uv.lock.txt", False),
        ("deploy/**", "deploy/a/b.yaml", True),
        ("deploy/**", "src/deploy/a.yaml", False),
        ("**/deploy/*", "src/deploy/a.yaml", True),
        ("**/deploy/*", "deploy/a.yaml", True),
        (".github/", ".github/workflows/ci.yml", True),
        (".github/", "sub/.github/workflows/ci.yml", True),
        (".github/", ".githubx/ci.yml", False),
        ("/etc", "/etc/passwd", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("CLAUDE.md", "./x/../CLAUDE.md", True),
        ("src/*.py", "src/a/b.py", False),
        ("../**", "../outside", True),
        ("a+b", "aab", False),
    ],
)
def test_path_patterns_read_as_in_gitignore(pattern: str, path: str, matches: bool) -> None:
    assert rule(paths=[pattern]).matches(edit(path)) is matches


def test_a_permission_needs_every_path_to_match() -> None:
    assert not rule("allow", paths=["src/"]).matches(edit("src/a.py", "secrets.txt"))


@pytest.mark.parametrize("effect", ["ask", "deny"])
def test_a_restriction_holds_for_any_path(effect: str) -> None:
    assert rule(effect, paths=["src/"]).matches(edit("src/a.py", "secrets.txt"))


def test_a_rule_about_paths_is_silent_without_paths() -> None:
    assert not rule(paths=["*"]).matches(edit())


def test_a_permission_needs_every_command_of_a_line_to_match() -> None:
    assert not rule("allow", commands=["pytest*"]).matches(command("pytest -q; curl evil"))


def test_a_permission_covers_a_line_of_matching_commands() -> None:
    assert rule("allow", commands=["pytest*", "ruff *"]).matches(command("ruff check && pytest"))


@pytest.mark.parametrize(
    "line", ["pytest $(id)", "pytest `id`", "pytest > x", "pytest <(id)", "eval pytest"]
)
def test_a_permission_does_not_cover_what_can_hide_a_command(line: str) -> None:
    assert not rule("allow", commands=["*"]).matches(command(line))


def test_a_permission_does_not_cover_an_empty_command() -> None:
    assert not rule("allow", commands=["*"]).matches(command("  "))


@pytest.mark.parametrize(
    "line", ["git push", "cd x && GIT  PUSH origin", "true;git push --force", "a\ngit push"]
)
def test_a_restriction_finds_its_command_anywhere_in_the_line(line: str) -> None:
    assert rule("deny", commands=["git push*"]).matches(command(line))


def test_a_restriction_can_name_the_whole_line() -> None:
    assert rule("ask", commands=["curl*|*sh"]).matches(command("curl x | sh"))


def test_tools_are_named_in_the_agents_words() -> None:
    assert rule(tools=["mcp__*"]).matches(ActionRequest(action="other", tool="mcp__github"))


def test_actions_limit_a_rule() -> None:
    assert not rule(actions=["read"]).matches(edit("a"))


def test_an_empty_rule_matches_anything() -> None:
    assert rule().matches(command("anything"))


@pytest.mark.parametrize(("effect", "kind"), [("allow", Allow), ("ask", Ask), ("deny", Deny)])
def test_a_decision_carries_reason_and_rule(effect: str, kind: type) -> None:
    assert rule(effect).decide() == kind(reason="because", rule="test/r")


@given(st.text(st.sampled_from("ab ;&|\n")))
def test_splitting_a_line_loses_no_word(line: str) -> None:
    words = "".join(split_command(line))
    assert [c for c in words if c in "ab"] == [c for c in line if c in "ab"]


GOOD = {"name": "r", "effect": "allow", "reason": "x"}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (["rules"], "test: should be a mapping"),
        ({"ruels": []}, "did you mean 'rules'"),
        ({"rules": "x"}, "rules: should be a list"),
        ({"rules": 3}, "rules: should be a list"),
        ({"rules": ["x"]}, r"rules\[0\]: should be a mapping"),
        ({"rules": [{**GOOD, "pths": ["x"]}]}, "did you mean 'paths'"),
        ({"rules": [{**GOOD, "zzzzzz": ["x"]}]}, "known: name, effect"),
        ({"rules": [{**GOOD, "effect": "alow"}]}, "effect: should be one of allow, ask, deny"),
        ({"rules": [{**GOOD, "actions": ["rea"]}]}, r"rules\[0\]: Invalid enum value 'rea'"),
        ({"rules": [{**GOOD, "paths": "x"}]}, "Expected `array`"),
        ({"rules": [{**GOOD, "paths": [""]}]}, "an empty name or pattern"),
        ({"rules": [{**GOOD, "name": ""}]}, "an empty name or pattern"),
        ({"rules": [{"name": "r", "effect": "ask"}]}, "missing required field `reason`"),
        ({"rules": [GOOD, GOOD]}, "two rules are named 'r'"),
    ],
)
def test_a_malformed_rule_is_refused_with_its_place(data: object, says: str) -> None:
    with pytest.raises(BadRule, match=says):
        parse("test", data)


def test_no_rules_are_fine() -> None:
    assert parse("test", {}) == ()
