"""The shipped approval rules do what their names say."""

from typing import get_args

import pytest

from app.config.presets import approval_rules
from app.config.settings import STRICTNESS, Approvals
from policies.approval import decide
from policies.decisions import Allow, Ask, Decision, Deny
from policies.requests import ActionKind, ActionRequest

LEVEL: dict[type[Decision], int] = {Allow: 0, Ask: 1, Deny: 2}
REQUESTS = [
    ActionRequest(action="read", paths=("a.py",)),
    ActionRequest(action="search", detail="TODO"),
    ActionRequest(action="edit", paths=("a.py",)),
    ActionRequest(action="edit", paths=("CLAUDE.md",)),
    ActionRequest(action="delete", paths=(".github/workflows/ci.yml",)),
    ActionRequest(action="execute", detail="git status"),
    ActionRequest(action="execute", detail="make test"),
    ActionRequest(action="execute", detail="make && git push"),
    ActionRequest(action="fetch", detail="https://example.com"),
    ActionRequest(action="other", tool="mcp__x"),
]


def level(name: Approvals, request: ActionRequest) -> int:
    return LEVEL[type(decide(request, approval_rules(name)))]


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_stricter_preset_is_never_looser(request_: ActionRequest) -> None:
    levels = [level(name, request_) for name in STRICTNESS]
    assert levels == sorted(levels)


def test_every_preset_is_ranked() -> None:
    assert sorted(STRICTNESS) == sorted(get_args(Approvals))


@pytest.mark.parametrize("request_", REQUESTS)
def test_autonomous_never_asks(request_: ActionRequest) -> None:
    assert level("autonomous", request_) == 0


@pytest.mark.parametrize("action", ["edit", "delete", "move", "execute", "other"])
def test_cautious_asks_before_any_change(action: ActionKind) -> None:
    assert level("cautious", ActionRequest(action=action, detail="make", paths=("a",))) == 1


def test_cautious_lets_an_agent_look() -> None:
    assert level("cautious", ActionRequest(action="execute", detail="git diff HEAD")) == 0


def test_balanced_lets_an_agent_work() -> None:
    assert level("balanced", ActionRequest(action="execute", detail="make test")) == 0


@pytest.mark.parametrize("line", ["git push", "make && npm publish"])
def test_balanced_asks_before_publishing(line: str) -> None:
    assert level("balanced", ActionRequest(action="execute", detail=line)) == 1


def test_balanced_asks_before_changing_what_agents_are_told() -> None:
    assert level("balanced", ActionRequest(action="edit", paths=("docs/AGENTS.md",))) == 1
