"""The file of rules: everything that can be wrong with it is told with file, line, key and what was expected."""

from pathlib import Path

import pytest

from app.config.load import load
from app.config.routes import load_rules, rules_in
from app.domain.errors import ConfigError

GOOD = b"""
rules:
  - name: papers
    why: words are cheap
    when: {kind: [docs, review], paths: "docs/**"}
    use: fast
  - when: {label: [security], repo: acme}
    use: [strong, codex/gpt-6.1-sol]
    explore: 0
    max_cost: $1.50
    learn: false
  - use: [strong, fast]
"""
FAULTS: dict[str, tuple[str, str]] = {
    "unknown key": (
        "rules:\n  - {used: fast, use: x}",
        ":2: rules.0.used is not a setting; did you mean 'use'?",
    ),
    "unknown key of the file": ("rule: []", ":1: rule is not a setting; did you mean 'rules'?"),
    "unknown condition": (
        "rules:\n  - use: x\n    when:\n      lable: y",
        ":4: rules.0.when.lable is not a setting; did you mean 'label'?",
    ),
    "nobody named": ("rules:\n  - name: a", ":2: rules.0.use is needed here"),
    "empty list": ("rules:\n  - use: []", ":2: rules.0.use should not be empty"),
    "empty name": ("rules:\n  - use: ['']", ":2: rules.0.use.0 should not be empty"),
    "number for a name": ("rules:\n  - use: 3", ":2: rules.0.use should be a list, not 3"),
    "unknown kind": (
        "rules:\n  - use: x\n    when: {kind: fixx}",
        ":3: rules.0.when.kind.0 should be 'implement', 'fix', 'review', 'refactor', 'test', 'docs' or 'chore', "
        "not 'fixx'; did you mean 'fix'?",
    ),
    "pattern that takes back": (
        "rules:\n  - use: x\n    when:\n      paths: ['!docs/']",
        ":4: rules.0.when.paths.0 should be a pattern as in .gitignore",
    ),
    "share above one": (
        "rules:\n  - {use: x, explore: 2}",
        ":2: rules.0.explore should be less than or equal to 1",
    ),
    "bad amount": (
        "rules:\n  - {use: x, max_cost: dear}",
        ":2: rules.0.max_cost 'dear' is not an amount in dollars",
    ),
    "truth as text": (
        "rules:\n  - {use: x, learn: 'maybe'}",
        ":2: rules.0.learn should be true or false, not 'maybe'",
    ),
    "rules as a mapping": ("rules: {use: x}", ":1: rules should be a list, not a mapping"),
    "rule as text": (
        "rules:\n  - fast",
        ":2: rules.0 should be a mapping of keys to values, not 'fast'",
    ),
    "same name twice": (
        "rules:\n  - {name: a, use: x}\n  - {name: a, use: y}",
        ":3: rules.1.name 'a' is the name of another rule",
    ),
    "bad name": (
        "rules:\n  - {name: 'a b', use: x}",
        ":2: rules.0.name should be a name of letters, digits",
    ),
    "not YAML": ("rules: [", "is not YAML"),
    "bare on": ("rules:\n  - {use: x, on: y}", ":2:14: a key should be text; put it in quotes"),
}


def test_a_good_file_is_read_with_its_order() -> None:
    rules = rules_in("routes.yaml", GOOD)
    assert [rule.name for rule in rules] == ["papers", "rule 2", "rule 3"]
    assert rules[0].use == ("fast",)
    assert (rules[1].explore, rules[1].max_cost, rules[1].learn) == (0, 1_500_000, False)
    assert rules[2].when.label == ()


@pytest.mark.parametrize("name", FAULTS)
def test_a_mistake_is_told_with_its_place(name: str) -> None:
    text, told = FAULTS[name]
    with pytest.raises(ConfigError) as refused:
        rules_in("routes.yaml", text.encode())
    assert refused.value.message.startswith("routes.yaml:")
    assert told in refused.value.message


def test_all_mistakes_are_told_at_once() -> None:
    text = b"rules:\n  - {used: x}\n  - {use: y, explore: 2}\n"
    with pytest.raises(ConfigError) as refused:
        rules_in("routes.yaml", text)
    assert [line.split(":")[1] for line in refused.value.message.splitlines()] == ["2", "2", "3"]


def test_the_users_own_rules_come_before_the_repositorys(tmp_path: Path) -> None:
    (tmp_path / "routes.yaml").write_text("rules: [{name: mine, use: x}]")
    rules = load_rules(tmp_path, b"rules: [{name: theirs, use: y}]", ".swarm/routes.yaml")
    assert [rule.name for rule in rules] == ["mine", "theirs"]
    assert [Path(rule.source).name for rule in rules] == ["routes.yaml", "routes.yaml"]


def test_without_files_there_are_no_rules(tmp_path: Path) -> None:
    assert load_rules(tmp_path, None, "") == ()


def test_names_that_stand_for_themselves_are_refused_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("models:\n  a: [b]\n  b: [codex, a]\n")
    with pytest.raises(ConfigError) as refused:
        load(user=tmp_path)
    assert refused.value.message == (
        f"{tmp_path}/config.yaml:2: models.a stands for itself: a → b → a\n"
        f"{tmp_path}/config.yaml:3: models.b stands for itself: b → a → b"
    )


def test_one_name_is_changed_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("models: {strong: codex}\n")
    models = load(user=tmp_path).settings.models
    assert models["strong"] == ("codex",)
    assert models["fast"]


def test_a_repository_has_no_say_in_names_of_models(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="models is not a repository's to say"):
        load(user=tmp_path, repo_text=b"models: {strong: codex}\n")
