"""May an agent use a tool inside its sandbox? The strictest rule that matches decides; a person's own go first."""

from collections.abc import Iterable

from policies.decisions import Ask, Decision
from policies.requests import ActionRequest
from policies.rules import Effect, Rule

SEVERITY: dict[Effect, int] = {"allow": 0, "ask": 1, "deny": 2}
UNKNOWN = Ask(reason="no rule speaks about this, so a person decides", rule="default")


def decide(request: ActionRequest, rules: Iterable[Rule], own: Iterable[Rule] = ()) -> Decision:
    """Deny beats ask beats allow, whatever the order; where no rule matches, a person is asked.

    What a person wrote (`own`) answers what the other rules would have asked them; no rule lifts a deny.
    """
    found = [rule for rule in rules if rule.matches(request)]
    theirs = [rule for rule in own if rule.matches(request)]
    counted = [*theirs, *(rule for rule in found if rule.effect == "deny")] if theirs else found
    if not counted:
        return UNKNOWN
    return max(counted, key=lambda rule: SEVERITY[rule.effect]).decide()
