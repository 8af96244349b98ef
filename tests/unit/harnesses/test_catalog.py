from typing import Any

import pytest

from harnesses import catalog, registry
from harnesses.catalog import parse_agent
from harnesses.errors import BadSettings, UnknownAgent

MINE = {"harness": "claude-code", "model": "claude-opus-5-5", "image": "claude-code"}


def test_the_shipped_agents_are_there() -> None:
    assert {"claude-code", "scripted"} <= {agent.name for agent in catalog.load().all()}


@pytest.mark.parametrize("agent", catalog.load().all(), ids=lambda agent: agent.name)
def test_a_shipped_agent_suits_its_harness(agent: catalog.Agent) -> None:
    registry.load(agent.harness).check(agent.settings)


def test_an_unknown_agent_is_told_the_nearest() -> None:
    with pytest.raises(UnknownAgent, match="did you mean `claude-code`"):
        catalog.load().get("claudecode")


def test_an_unknown_agent_is_told_which_there_are() -> None:
    with pytest.raises(UnknownAgent) as caught:
        catalog.load().get("zzz")
    assert "scripted" in caught.value.hint


def test_the_user_adds_an_agent() -> None:
    agent = catalog.load({"opus": MINE}).get("opus")
    assert (agent.model, agent.title) == ("claude-opus-5-5", "opus")


def test_the_user_overrides_a_key() -> None:
    agent = catalog.load({"claude-code": {"model": "local"}}).get("claude-code")
    assert (agent.model, agent.harness) == ("local", "claude-code")


def test_settings_are_overridden_one_by_one() -> None:
    first = {"opus": {**MINE, "settings": {"effort": "low"}}}
    assert catalog.load(first).get("opus").settings == {"effort": "low"}
    changed = catalog.load({"scripted": {"settings": {"other": 1}}}).get("scripted").settings
    assert set(changed) == {"script", "other"}


def test_a_disabled_agent_is_not_listed() -> None:
    loaded = catalog.load({"scripted": {"enabled": False}})
    assert "scripted" not in {agent.name for agent in loaded.all()}


def test_a_disabled_agent_says_how_to_enable_it() -> None:
    loaded = catalog.load({"scripted": {"enabled": False}})
    with pytest.raises(UnknownAgent, match="disabled") as caught:
        loaded.get("scripted")
    assert "agents.scripted" in caught.value.hint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modle": "x"}, r"agents\.claude-code\.modle: unknown key, did you mean model\?"),
        ({"model": 5}, r"agents\.claude-code\.model: input should be a valid string"),
        ({"name": "other"}, r"agents\.claude-code\.name: must be 'claude-code'"),
        ({"settings": []}, r"agents\.claude-code\.settings: "),
        (["model"], r"agents\.claude-code: must be a mapping"),
    ],
)
def test_a_wrong_override_is_refused_with_its_place(changes: Any, message: str) -> None:
    with pytest.raises(BadSettings, match=message):
        catalog.load({"claude-code": changes})


def test_a_new_agent_without_a_harness_is_refused() -> None:
    with pytest.raises(BadSettings, match=r"agents\.mine\.harness: field required"):
        catalog.load({"mine": {"model": "m"}})


def test_a_name_that_cannot_be_typed_is_refused() -> None:
    with pytest.raises(BadSettings, match=r"agents\.My Agent\.name"):
        catalog.load({"My Agent": MINE})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "name: a\nharness: h\nmodel: m\nimgae: x\n",
            r"a\.yaml:4: imgae: unknown key, did you mean image\?",
        ),
        ("name: a\nharness: h\nmodel: [m]\n", r"a\.yaml:3: model: "),
        ("name: a\nharness: h\n", r"a\.yaml:1: model: field required"),
        ("name: a\nname: b\n", r"a\.yaml:2: the key 'name' stands twice"),
        ("name: [a\n", r"a\.yaml:2: "),
        ("name: a\n\tharness: h\n", r"a\.yaml:2: "),
        ("- a\n", r"a\.yaml:1: must be a mapping"),
        ("", r"a\.yaml:1: must be a mapping"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(BadSettings, match=message):
        parse_agent(text, "a.yaml")


def test_all_that_is_wrong_with_a_file_is_told_at_once() -> None:
    with pytest.raises(BadSettings) as caught:
        parse_agent("name: a\nharness: h\nmodel: 3\nimgae: x\n", "a.yaml")
    assert len(str(caught.value).splitlines()) == 2


def test_an_agent_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        catalog.load().get("scripted").model = "other"  # type: ignore[misc]
