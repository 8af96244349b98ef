"""May a reviewed change land? Only what was approved, where it was approved to land."""

from policies.decisions import Allow, Ask, Decision, Deny
from policies.requests import MergeRequest


def may_merge(request: MergeRequest) -> Decision:
    """Deny what differs from what was approved; ask about what a person may still take upon themselves."""
    return (
        _conflicting(request)
        or _not_as_approved(request)
        or _not_landable(request)
        or _doubtful(request)
        or Allow(reason="it is exactly what was approved", rule="merge/approved")
    )


def _conflicting(request: MergeRequest) -> Deny | None:
    """First of all: where there is a conflict there is no result that could have been approved."""
    if request.conflicts:
        return Deny(
            reason=f"it conflicts with the target in {_some(request.conflicts)}",
            rule="merge/conflicts",
        )
    return None


def _not_as_approved(request: MergeRequest) -> Deny | None:
    if not request.approved_tree or not request.approved_tip:
        return Deny(reason="nobody approved an exact result", rule="merge/unapproved")
    if request.target_tip != request.approved_tip:
        return Deny(
            reason=f"the target moved from {request.approved_tip[:10]} to "
            f"{request.target_tip[:10]} since it was approved",
            rule="merge/target-moved",
        )
    return None


def _not_landable(request: MergeRequest) -> Deny | None:
    if request.result_tree != request.approved_tree:
        return Deny(
            reason="what would land now is not what was approved", rule="merge/result-changed"
        )
    if request.blocked:
        return Deny(
            reason=f"the path policy forbids {_some(request.blocked)}", rule="merge/blocked"
        )
    return None


def _doubtful(request: MergeRequest) -> Ask | None:
    if failed := tuple(check.command for check in request.checks if not check.passed):
        return Ask(reason=f"a check did not pass: {_some(failed)}", rule="merge/checks")
    return None


def _some(items: tuple[str, ...]) -> str:
    """The first three, and how many more there are."""
    more = f" and {len(items) - 3} more" if len(items) > 3 else ""
    return ", ".join(items[:3]) + more
