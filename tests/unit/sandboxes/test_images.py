"""Tags of the shipped images."""

import re

import pytest

from sandboxes import images
from sandboxes.errors import SandboxFailed


def test_claude_code_has_an_image_of_its_own() -> None:
    assert "claude-code" in images.agents()


def test_a_tag_names_the_content() -> None:
    assert re.fullmatch(r"swarm-claude-code:[0-9a-f]{12}", images.tag_of("claude-code"))


def test_a_tag_is_the_same_each_time() -> None:
    assert images.tag_of("claude-code") == images.tag_of("claude-code")


def test_another_base_is_another_tag() -> None:
    assert images.tag_of("claude-code", base="ours") != images.tag_of("claude-code")


def test_an_agent_without_an_image_of_its_own_runs_in_the_base() -> None:
    assert images.tag_of("scripted") == images.tag_of("base")


def test_the_current_tag_is_stable() -> None:
    assert images.current("claude-code") == "swarm-claude-code:current"


async def test_an_unknown_agent_is_answered_with_the_nearest() -> None:
    with pytest.raises(SandboxFailed, match="'claude-cod'") as caught:
        await images.build(["claude-cod"])
    assert caught.value.hint == "Did you mean 'claude-code'?"


def test_every_agents_dockerfile_stands_on_the_base() -> None:
    stands = [images._dockerfile(agent).partition("FROM ")[2] for agent in images.agents()]
    assert all(text.startswith("${BASE}") for text in stands)
