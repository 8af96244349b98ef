"""What `swarm run --dry-run` says."""

from app import wire
from app.domain.money import dollars
from app.domain.safe import clean_line


def preview_text(found: wire.Preview) -> str:
    """All of it on a screen; the rest is for `--json`."""
    options = [each for route in found.routes for each in route.options if each.dropped]
    facts = [("goes to", _who(found))]
    facts += [("", f"not {each.target}: {each.dropped}") for each in options]
    facts.append(
        (
            "costs",
            f"{dollars(found.budget)} at most" + (" together" if len(found.routes) > 1 else ""),
        )
    )
    facts += [
        ("", f"{each.of} has {dollars(each.left)} of {dollars(each.cap)} left")
        for each in found.left
    ]
    facts += [
        ("works on", f"a copy of {found.base}, in the sandbox {found.sandbox}"),
        ("reaches", ", ".join(found.hosts) or "nothing but its model"),
        ("checks", "; ".join(found.checks) or "none"),
        ("lands on", f"{found.target}, once a person approved it"),
    ]
    policy = found.policy
    for name, paths in (("blocked", policy.block), ("confirmed", policy.confirm)):
        facts += [(name, ", ".join(paths))] if paths else []
    facts += [("note", note) for note in found.notes]
    head = [f"It would be refused: {clean_line(found.refused)}"] if found.refused else []
    return "\n".join([*head, *(f"{name:<10}{clean_line(text)}" for name, text in facts)])


def _who(found: wire.Preview) -> str:
    chosen = [f"{route.target}: {route.why}{_rule(route.rule)}" for route in found.routes]
    return "; ".join(chosen) or "nobody"


def _rule(rule: str) -> str:
    return f", by {rule}" if rule else ""
