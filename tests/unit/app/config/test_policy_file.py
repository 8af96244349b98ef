"""The user's own rules: read with clear errors, added to as a diff shows, otherwise left as they were."""

from pathlib import Path

import pytest

from app.config import policy_file
from app.domain.errors import ConfigError
from policies.rules import Rule

RULE = Rule(
    name="from-k3f9x.1-a1",
    effect="allow",
    reason="you allowed it for good",
    actions=("execute",),
    commands=("git push origin main",),
)
WRITTEN = """\
# Mine.
rules:
    - name: never
      effect: deny   # not on my watch
      reason: it deploys
      commands: [terraform *]
"""


def test_without_a_file_there_are_no_rules(tmp_path: Path) -> None:
    assert policy_file.own_rules(tmp_path) == ()


def test_the_first_rule_makes_the_file(tmp_path: Path) -> None:
    policy_file.write(policy_file.addition(tmp_path / "config", RULE))
    (rule,) = policy_file.own_rules(tmp_path / "config")
    assert (rule.name, rule.commands) == ("own/from-k3f9x.1-a1", RULE.commands)


def test_the_diff_is_the_change_and_what_was_written_stays(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(WRITTEN)
    wanted = policy_file.addition(tmp_path, RULE)
    assert "+    - name: from-k3f9x.1-a1\n" in wanted.diff
    assert "\n-" not in wanted.diff.partition("@@")[2]
    policy_file.write(wanted)
    assert (tmp_path / "policy.yaml").read_text().startswith(WRITTEN)
    assert [rule.name for rule in policy_file.own_rules(tmp_path)] == [
        "own/never",
        "own/from-k3f9x.1-a1",
    ]


def test_looking_writes_nothing(tmp_path: Path) -> None:
    policy_file.addition(tmp_path, RULE)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    for _ in range(2):
        policy_file.write(policy_file.addition(tmp_path, RULE))
    assert policy_file.own_rules(tmp_path)[1].name == "own/from-k3f9x.1-a1-2"


def test_a_file_that_changed_since_it_was_shown_is_not_overwritten(tmp_path: Path) -> None:
    wanted = policy_file.addition(tmp_path, RULE)
    (tmp_path / "policy.yaml").write_text(WRITTEN)
    with pytest.raises(ConfigError, match="has changed since"):
        policy_file.write(wanted)
    assert (tmp_path / "policy.yaml").read_text() == WRITTEN


def test_a_list_in_brackets_is_left_to_the_person_with_the_words_to_add(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("rules: [{name: a, effect: ask, reason: b}]\n")
    with pytest.raises(ConfigError) as caught:
        policy_file.addition(tmp_path, RULE)
    assert "git push origin main" in caught.value.hint or "policy.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rules:\n  - name: a\n    effect: alow\n    reason: b\n", "effect: should be one of"),
        ("rule: []\n", "did you mean 'rules'"),
        ("rules: 3\n", "should be a list"),
        ("rules: [\n", "is not YAML"),
        ("- a\n", "should be a mapping"),
        ("rules:\n  - name: a\n    effect: ask\n    reason: b\n    pahts: [x]\n", "'paths'"),
        ("rules:\n  - {name: a, effect: ask, reason: b}\n  - {name: a, effect: ask, reason: b}\n",
         "two rules are named"),
        ("rules:\n  - {name: a, effect: ask, reason: b, commands: ['']}\n", "matches nothing"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "policy.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        policy_file.own_rules(tmp_path)
    assert words in str(caught.value)
    assert "policy.yaml" in str(caught.value)
