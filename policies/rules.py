"""A rule about an agent's tools: what it matches, and whether that is allowed, asked about, or denied."""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from policies.decisions import Allow, Ask, Decision, Deny
from policies.globs import matches_command, matches_path
from policies.requests import ActionKind, ActionRequest

Effect: TypeAlias = Literal["allow", "ask", "deny"]
DECISIONS: Mapping[Effect, type[Decision]] = {"allow": Allow, "ask": Ask, "deny": Deny}


class BadRule(ValueError):
    """A rule is not of the form that is read here; the message says where and what."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Matches a request when everything it names matches; what is left empty matches anything."""

    name: str
    """How decisions refer to it, for example `balanced/inside`."""
    effect: Effect
    """What is done with a request that matches."""
    reason: str
    """Why, in a sentence for the person who is asked or the agent that is refused."""
    actions: tuple[ActionKind, ...] = ()
    """Kinds of action."""
    tools: tuple[str, ...] = ()
    """Names of tools in the agent's own words; `*` and `?` stand for any characters."""
    paths: tuple[str, ...] = ()
    """Files, as in .gitignore: `*.lock`, `deploy/**`. An `allow` needs every path of the request to match."""
    commands: tuple[str, ...] = ()
    """Commands: `git push*`; `\\*` is a star. An `allow` needs every command of a line to match, others one."""

    def matches(self, request: ActionRequest) -> bool:
        """Whether this rule speaks about the request."""
        return (
            (not self.actions or request.action in self.actions)
            and (not self.tools or matches_command((request.tool,), self.tools, every=False))
            and (not self.paths or matches_path(request.paths, self.paths, every=self._every))
            and (not self.commands or self._command_matches(request))
        )

    def decide(self) -> Decision:
        """This rule's answer."""
        return DECISIONS[self.effect](reason=self.reason, rule=self.name)

    @property
    def _every(self) -> bool:
        # Permission must cover all that is asked for; a restriction holds if any part of it is touched.
        return self.effect == "allow"

    def _command_matches(self, request: ActionRequest) -> bool:
        line = request.detail.strip()
        parts = split_command(line)
        if self._every:
            # A permission for `pytest *` is none for `pytest $(anything)`.
            return not hides(line) and matches_command(parts, self.commands, every=True)
        return matches_command((*parts, line), self.commands, every=False)


_BETWEEN = re.compile(r"\|\||&&|[;\n|&]")
_HIDING = re.compile(r"[`<>]|\$\(|\beval\b")


def hides(line: str) -> bool:
    """Whether a shell would run or write something that the words of the line do not show."""
    return _HIDING.search(line) is not None


def split_command(line: str) -> tuple[str, ...]:
    """The commands of a shell line; it cuts too often (inside quotes) rather than too rarely."""
    parts = (part.strip() for part in _BETWEEN.split(line))
    return tuple(part for part in parts if part)


def parse(name: str, data: object) -> tuple[Rule, ...]:
    """The rules in `data`, a mapping with the key `rules`. Raises `BadRule` that says where and what."""
    if not isinstance(data, Mapping):
        raise BadRule(f"{name}: should be a mapping with the key 'rules'")
    _known(name, data, ("rules",))
    items = data.get("rules", ())
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise BadRule(f"{name}: rules: should be a list")
    rules = tuple(_rule(f"{name}: rules[{n}]", name, item) for n, item in enumerate(items))
    _unique(name, rules)
    return rules


def _rule(where: str, prefix: str, item: object) -> Rule:
    if not isinstance(item, Mapping):
        raise BadRule(f"{where}: should be a mapping")
    _known(where, item, Rule.__struct_fields__)
    if "effect" in item and item["effect"] not in get_args(Effect):
        raise BadRule(f"{where}: effect: should be one of {', '.join(get_args(Effect))}")
    try:
        rule = msgspec.convert(item, Rule)
    except msgspec.ValidationError as error:
        raise BadRule(f"{where}: {error}") from None
    if "" in (rule.name, *rule.tools, *rule.paths, *rule.commands):
        raise BadRule(f"{where}: an empty name or pattern matches nothing; leave it out")
    return msgspec.structs.replace(rule, name=f"{prefix}/{rule.name}")


def _known(where: str, item: Mapping[Any, Any], names: Iterable[str]) -> None:
    known = list(names)
    for key in item:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
            raise BadRule(f"{where}: {key!r} is not known here{meant}")


def _unique(name: str, rules: Sequence[Rule]) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.name in seen:
            raise BadRule(f"{name}: two rules are named {rule.name.removeprefix(name + '/')!r}")
        seen.add(rule.name)
