"""What the agent does right now, in a few words for the board."""

from harnesses.events import (
    AgentEvent,
    MessageChunk,
    MessageTaken,
    PermissionAsked,
    PlanUpdated,
    SessionStarted,
    ThoughtChunk,
    ToolCall,
    ToolCallUpdate,
    TurnEnded,
    Unreadable,
    UsageReported,
)

LONGEST = 120


def activity_of(event: AgentEvent) -> str:
    """A few words; empty for events that do not say what the agent does."""
    match event:
        case ToolCall(title=title) | PermissionAsked(title=title):
            return _cut(title)
        case ThoughtChunk():
            return "thinking"
        case MessageChunk(text=text):
            return _cut(text)
        case PlanUpdated(entries=entries):
            now = [entry.text for entry in entries if entry.status == "in_progress"]
            return _cut(now[0]) if now else ""
        case SessionStarted() | ToolCallUpdate() | MessageTaken() | UsageReported():
            return ""
        case TurnEnded() | Unreadable():
            return ""


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
