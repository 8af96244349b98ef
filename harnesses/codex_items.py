"""The items of a Codex turn in swarm's words: what kind of tool, a title for a person, files, output."""

from typing import Any, Final, Literal

import msgspec

from harnesses.codex_lines import Item, Trouble
from harnesses.events import ToolCall, ToolCallUpdate, ToolKind
from harnesses.text import (
    INPUT_LIMIT,
    OUTPUT_LIMIT,
    as_json,
    clip,
    one_line,
    out_of_shell,
    relative,
)

_KINDS: Final[dict[str, ToolKind]] = {
    "commandExecution": "execute",
    "fileChange": "edit",
    "mcpToolCall": "other",
    "dynamicToolCall": "other",
    "collabAgentToolCall": "think",
    "webSearch": "fetch",
    "imageView": "read",
    "imageGeneration": "other",
}
_NAMES: Final = {
    "commandExecution": "shell",
    "fileChange": "apply_patch",
    "webSearch": "web_search",
}
_FAILED: Final = frozenset({"failed", "declined"})


def is_tool(item: Item) -> bool:
    return item.type in _KINDS


def kind(item: Item) -> ToolKind:
    return _KINDS.get(item.type, "other")


def name(item: Item) -> str:
    """The tool's name in the agent's own words."""
    return _NAMES.get(item.type) or item.tool or item.type


def paths(item: Item, workspace: str) -> tuple[str, ...]:
    named = [change.path for change in item.changes] + ([item.path] if item.path else [])
    return tuple(relative(path, workspace) for path in named if path)


def title(item: Item, workspace: str) -> str:
    """One line that says what the item does: `shell: pytest -q`."""
    match item.type:
        case "commandExecution":
            what = out_of_shell(item.command or "")
        case "fileChange":
            what = ", ".join(paths(item, workspace))
        case "mcpToolCall":
            return one_line(f"{item.server or 'mcp'}: {item.tool or ''}")
        case _:
            what = item.query or item.prompt or item.path or ""
    return one_line(f"{name(item)}: {what}") if what else one_line(name(item))


def given(item: Item) -> str:
    """The tool's input as JSON text."""
    match item.type:
        case "commandExecution":
            return as_json({"command": out_of_shell(item.command or "")})
        case "fileChange":
            changes = [msgspec.structs.asdict(change) for change in item.changes]
            return as_json({"changes": changes})
        case _ if item.arguments is not None:
            return as_json(item.arguments)
        case _:
            told = {"query": item.query, "path": item.path, "prompt": item.prompt}
            return clip(as_json({k: v for k, v in told.items() if v}), INPUT_LIMIT)


def call(item: Item, workspace: str, parent: str) -> ToolCall:
    return ToolCall(
        id=item.id,
        title=title(item, workspace),
        tool=kind(item),
        input=given(item),
        paths=paths(item, workspace),
        parent=parent,
    )


def result(item: Item) -> ToolCallUpdate:
    failed = item.status in _FAILED or item.exit_code not in (None, 0)
    status: Literal["failed", "completed"] = "failed" if failed else "completed"
    return ToolCallUpdate(item.id, status, clip(_output(item), OUTPUT_LIMIT))


def _output(item: Item) -> str:
    output = item.aggregated_output or ""
    if item.exit_code not in (None, 0):
        output += f"\n(exit {item.exit_code})"
    if isinstance(item.error, dict):
        output += str(item.error.get("message", ""))
    return output or ("declined" if item.status == "declined" else "")


def status_of(trouble: Trouble) -> int | None:
    """The HTTP status of the model call that failed, where Codex tells it."""
    info: Any = trouble.codex_error_info
    if info == "usageLimitExceeded":
        return 429
    if not isinstance(info, dict):
        return None
    details = [value for value in info.values() if isinstance(value, dict)]
    codes = [value.get("httpStatusCode") for value in details]
    found = [code for code in codes if isinstance(code, int) and 100 <= code <= 599]
    return found[0] if found else None
