"""The rule that allows what a person has just allowed, and nothing else."""

import re
from typing import Final

from policies.requests import ActionRequest
from policies.rules import BadRule, Rule, hides, split_command

_SPECIAL: Final = re.compile(r"([\\*?])")


def rule_for(request: ActionRequest, *, name: str, reason: str) -> Rule:
    """A rule that matches the request again, word for word. Raises `BadRule` where no rule could.

    Of a command line it allows every command; of files, these; of anything else, this tool with this input.
    """
    by_path = bool(request.paths) and request.action != "execute"
    paths = tuple(_path(path) for path in request.paths) if by_path else ()
    commands = () if by_path else _commands(request)
    tools = () if paths or (commands and request.action == "execute") else _tools(request)
    if request.action == "execute" and not commands:
        raise BadRule("it names no command, and a rule for the tool would allow all of them")
    if not (commands or paths or tools):
        raise BadRule("it names neither a command, nor a file, nor a tool")
    rule = Rule(
        name=name,
        effect="allow",
        reason=reason,
        actions=(request.action,),
        tools=tools,
        paths=paths,
        commands=commands,
    )
    if not rule.matches(request):
        raise BadRule("no rule could tell it from other requests")
    return rule


def _commands(request: ActionRequest) -> tuple[str, ...]:
    line = request.detail.strip()
    if hides(line):
        raise BadRule("it runs or writes what its words do not show (`$(…)`, `>`, `<`, eval)")
    return tuple(dict.fromkeys(_literal(part) for part in split_command(line)))


def _tools(request: ActionRequest) -> tuple[str, ...]:
    return (_literal(request.tool),) if request.tool else ()


def _path(path: str) -> str:
    if _SPECIAL.search(path):
        raise BadRule(f"the name of {path!r} would be read as a pattern")
    return path if path.startswith("/") else f"/{path}"


def _literal(text: str) -> str:
    """The pattern that stands for this text alone."""
    return _SPECIAL.sub(r"\\\1", text)
