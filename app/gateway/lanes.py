"""Which sub-agent makes a call, as its harness says in the request's headers.

A claim, like all an agent says: it only splits what its run is charged for anyway.
"""

import re
from collections.abc import Mapping
from typing import Final

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_CLAUDE: Final = "x-claude-code-agent-id"
"""Sent by sub-agents only."""
_CODEX: Final = ("x-openai-subagent", "thread-id")
_OPENCODE: Final = ("x-parent-session-id", "x-session-id")


def lane_of(headers: Mapping[str, str]) -> str:
    """The sub-agent's name; empty for the agent itself, and for anything that is no name."""
    if name := headers.get(_CLAUDE, ""):
        return _safe(name)
    for sign, name in (_CODEX, _OPENCODE):
        if headers.get(sign):
            return _safe(headers.get(name, "") or headers[sign])
    return ""


def _safe(name: str) -> str:
    return name if _SAFE.fullmatch(name) else ""
