"""Everything that can be wrong with a file is told with file, line, key, and what was expected."""

from pathlib import Path

import pytest

from app.config.load import load
from app.domain.errors import ConfigError

DATA = Path(__file__).parents[3] / "data" / "config"
FAULTS: dict[str, tuple[str, ...]] = {
    "unknown_key": (":1: agnet is not a setting; did you mean 'agent'?",),
    "unknown_nested_key": (":3: sandbox.memry is not a setting; did you mean 'memory'?",),
    "wrong_type": (":2: max_turns should be a whole number, not 'three'",),
    "truth_as_number": (":1: max_turns should be a whole number, not True",),
    "text_as_list": (":1: checks should be a list, not 'make test'",),
    "number_as_text": (":3: checks.1 should be text; put it in quotes",),
    "not_a_section": (":1: sandbox should be a mapping of keys to values, not 'docker'",),
    "empty_section": (":1: budget should be a mapping of keys to values, not nothing",),
    "wrong_choice": (
        ":1: approvals should be 'cautious', 'balanced' or",
        "did you mean 'autonomous'?",
    ),
    "bad_amount": (":2: budget.run 'a lot' is not an amount in dollars, such as 1.50",),
    "negative_amount": (":1: budget.run '-1' is not an amount in dollars of zero or more",),
    "bad_size": (":2: sandbox.memory should be a size with its unit, such as 512m or 2g",),
    "unknown_network": (":2: network.allow.1 'pipy' is neither", "did you mean 'pypi'?"),
    "network_address": (":3: network.allow.0 should be the full name", "did you mean 'pypi.org'?"),
    "too_small": (":1: concurrency should be greater than or equal to 1, not 0",),
    "bad_url": (":4: gateway.upstreams.local.url should be an address such as https://",),
    "bad_proxy": (":5: gateway.upstreams.anthropic.proxy should be the address of an HTTP proxy",),
    "key_itself": (":4: gateway.upstreams.anthropic.key should say where the key is: env:NAME",),
    "secret_in_wrong_place": (":3: gateway.upstreams.anthropic should be a mapping",),
    "upstream_without_url": (":4: gateway.upstreams.local.url is needed here",),
    "bad_pattern": (":2: paths.block.0 should be a pattern as in .gitignore",),
    "bad_name": (":2: agents.my agent should be a name of letters, digits",),
    "duplicate_key": (":3:1: the key 'agent' stands here again; first in line 1",),
    "not_a_mapping": (":1:1: should be a mapping of keys to values",),
    "not_yaml": (":3:7: is not YAML: while parsing a flow sequence, expected ',' or ']'",),
    "tab": (":2:1: is not YAML: ", "cannot start any token"),
    "two_documents": (":2:1: is not YAML: expected a single document",),
    "anchor": (":2:8: anchors and aliases (&, *) are not read here",),
    "number_key": (":2:3: a key should be text; put it in quotes",),
    "tag": (":1:8: the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not read here",),
    "bad_date": (":1:8: '2026-13-40' cannot be read: month must be in 1..12",),
    "not_utf8": (":1:1: is not UTF-8 text",),
    "control_character": ("is not YAML: special characters are not allowed",),
    "several": (":1: agnet", ":3: budget.run", ":4: max_turns"),
}


def refusal(directory: Path, name: str) -> str:
    (directory / "config.yaml").write_bytes((DATA / f"{name}.yaml").read_bytes())
    with pytest.raises(ConfigError) as caught:
        load(user=directory)
    return caught.value.message


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_with_its_place(name: str, tmp_path: Path) -> None:
    message = refusal(tmp_path, name)
    assert message.startswith(str(tmp_path / "config.yaml") + ":")
    assert [part for part in FAULTS[name] if part not in message] == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_a_repository_is_told_under_the_repositorys_name(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(user=tmp_path, repo_text=(DATA / f"{name}.yaml").read_bytes(), repo_name="r.yaml")
    assert caught.value.message.startswith("r.yaml:")


def test_every_fault_on_file_is_tested() -> None:
    assert {path.stem for path in DATA.glob("*.yaml")} == set(FAULTS)


@pytest.mark.parametrize("name", ["bad_proxy", "key_itself", "secret_in_wrong_place"])
def test_a_secret_in_the_wrong_place_is_not_repeated(name: str, tmp_path: Path) -> None:
    assert "secret-0123456789" not in refusal(tmp_path, name)


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    assert len(refusal(tmp_path, "several").splitlines()) == 3


@pytest.mark.parametrize("text", [b"[" * 3000, b"a: " + b"{a: " * 40 + b"1" + b"}" * 40])
def test_a_file_nested_too_deeply_is_refused(text: bytes, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nested too deeply"):
        load(user=tmp_path, repo_text=text)


def test_a_file_too_large_to_be_written_by_hand_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="larger than 256 KiB"):
        load(user=tmp_path, repo_text=b"# x\n" * 100_000)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").mkdir()
    with pytest.raises(ConfigError, match=r"config\.yaml: cannot be read: Is a directory"):
        load(user=tmp_path)
