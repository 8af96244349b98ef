"""May an agent use a tool inside its sandbox? The strictest rule that matches decides."""

from collections.abc import Iterable

from policies.decisions import Ask, Decision
from policies.requests import ActionRequest
from policies.rules import Effect, Rule

SEVERITY: dict[Effect, int] = {"allow": 0, "ask": 1, "deny": 2}
UNKNOWN = Ask(reason="no rule speaks about this, so a person decides", rule="default")


def decide(request: ActionRequest, rules: Iterable[Rule]) -> Decision:
    """Deny beats ask beats allow, whatever the order; where no rule matches, a person is asked."""
    found = [rule for rule in rules if rule.matches(request)]
    if not found:
        return UNKNOWN
    return max(found, key=lambda rule: SEVERITY[rule.effect]).decide()
