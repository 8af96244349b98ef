"""What an Anthropic Messages request asks for: whether it may be sent, and the most it can cost.

A provider-side tool or fetch is a way out of the sandbox that no network rule sees, so only what stays
between agent and model is let through; and what the price list cannot price is not sent.
"""

import re
from typing import Any, Final, Literal

import msgspec

from app.gateway.dialects import Objection
from app.gateway.objects import TooManyParts, objects
from app.gateway.reservation import Bounds

_IMAGE_TOKENS: Final = 6_000
"""More than any model counts for an image, which it shrinks first."""
_TOOL_TOKENS: Final = 1_024
"""More than the words a provider adds to a request that has tools."""
_HARMLESS_TOOL = re.compile(
    r"custom|(bash|text_editor|computer|memory|tool_search_tool_(regex|bm25))(_\d{8})?"
)
_REACHING_OUT = re.compile(r"(web_search|web_fetch|code_execution|advisor)_\d+|mcp(_toolset)?")
_OPAQUE: Final = ("input", "input_schema", "data")
"""Values that are the agent's own data, never instructions to the provider."""
_STANDARD: Final[dict[str, tuple[object, ...]]] = {
    "speed": (None, "standard"),
    "inference_geo": (None, "global", "not_available"),
    "mcp_servers": (None, []),
    "container": (None,),
    "fallbacks": (None, []),
}
"""Fields of a request with the only values that cost the list price and reach nothing else."""


class _Found:
    """What a walk through a body has seen so far."""

    def __init__(self) -> None:
        self.cache: Literal["none", "short", "long"] = "none"
        self.image_bytes = 0
        self.images = 0
        self.document_bytes = 0
        self.objection = ""


def examine(
    body: dict[str, Any], size: int, bytes_per_token: int, *, metered: bool
) -> Bounds | Objection:
    """The bounds of a request, or why it is not sent. Walks without recursion: the body is hostile."""
    if reason := _unusual(body) or _tools(body.get("tools")):
        return Objection(status=403, why=reason)
    found = _walk(body)
    if found.objection:
        return Objection(status=403, why=found.objection)
    output = body.get("max_tokens", None if metered else 1)
    if type(output) is not int or output < 1:
        return Objection(status=400, why="max_tokens: a whole number of 1 or more is required")
    return Bounds(
        input=_input(found, size, bytes_per_token, has_tools=bool(body.get("tools"))),
        output=output,
        cache=found.cache,
        thinking=_thinking(body.get("thinking")),
        passes=2 if _compacts(body.get("context_management")) else 1,
    )


def _unusual(body: dict[str, Any]) -> str:
    for name, standard in _STANDARD.items():
        if body.get(name) not in standard:
            return (
                f"{name}: not let through by swarm's gateway: it reaches out or has no list price"
            )
    return ""


def _tools(tools: object) -> str:
    if tools is None:
        return ""
    if not isinstance(tools, list):
        return "tools: a list is required"
    for tool in tools:
        kind = tool.get("type", "custom") if isinstance(tool, dict) else tool
        if not isinstance(kind, str) or not _HARMLESS_TOOL.fullmatch(kind):
            return _runs_outside(kind)
    return ""


def _runs_outside(kind: object) -> str:
    shown = msgspec.json.encode(kind).decode(errors="replace")[:80]
    return f"tools: {shown} runs at the provider, outside the sandbox; swarm's gateway does not allow it"


def _walk(body: dict[str, Any]) -> _Found:
    found = _Found()
    try:
        for node in objects(body, _OPAQUE):
            _look(node, found)
            if found.objection:
                break
    except TooManyParts as error:
        found.objection = error.objection.why
    return found


def _look(node: dict[str, Any], found: _Found) -> None:
    kind = node.get("type")
    if isinstance(kind, str) and _REACHING_OUT.fullmatch(kind):
        found.objection = _runs_outside(kind)
    if isinstance(cache := node.get("cache_control"), dict):
        is_short = cache.get("ttl", "5m") == "5m"
        found.cache = "short" if is_short and found.cache != "long" else "long"
    if isinstance(source := node.get("source"), dict):
        _look_at_source(kind, source, found)


def _look_at_source(kind: object, source: dict[str, Any], found: _Found) -> None:
    if source.get("type") not in ("base64", "text", "content"):
        found.objection = (
            "source: only content inside the request; the provider would fetch this from elsewhere"
        )
    data = source.get("data")
    size = len(data) if isinstance(data, str) else 0
    if kind == "image":
        found.images += 1
        found.image_bytes += size
    elif source.get("type") == "base64":
        found.document_bytes += size


def _input(found: _Found, size: int, bytes_per_token: int, *, has_tools: bool) -> int:
    """Images count by number, not by size; packed documents can hold a token in every byte."""
    text = size - found.image_bytes - found.document_bytes
    tokens = -(-text // bytes_per_token) + found.document_bytes + found.images * _IMAGE_TOKENS
    return tokens + (_TOOL_TOKENS if has_tools else 0)


def _thinking(thinking: object) -> int:
    budget = thinking.get("budget_tokens", 0) if isinstance(thinking, dict) else 0
    return budget if type(budget) is int and budget > 0 else 0


def _compacts(management: object) -> bool:
    edits = management.get("edits") if isinstance(management, dict) else None
    kinds = (
        [edit.get("type") for edit in edits or () if isinstance(edit, dict)]
        if isinstance(edits, list)
        else []
    )
    return any(isinstance(kind, str) and kind.startswith("compact") for kind in kinds)
