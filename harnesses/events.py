"""What every agent says, in one vocabulary: the names of the Agent Client Protocol.

An event is a *claim* of a program in the sandbox. Cost, status and "tests passed" are never decided from it.
"""

from typing import Final, Literal, TypeAlias

import msgspec


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """The frozen base of all events; `type` tells them apart in JSON."""


class SessionStarted(Fact, frozen=True, tag="session_started"):
    """The agent opened (or resumed) its own conversation."""

    conversation: str
    """The agent's own id of the conversation, needed to resume it."""
    model: str = ""
    version: str = ""
    """Version of the agent program, as it says itself."""


class MessageChunk(Fact, frozen=True, tag="message"):
    """A piece of what the agent says to the user; pieces with one `message` id belong together."""

    text: str
    message: str = ""
    parent: str = ""
    """Id of the tool call that started the sub-agent speaking here; empty for the main agent."""


class ThoughtChunk(Fact, frozen=True, tag="thought"):
    """A piece of the agent's visible reasoning."""

    text: str
    message: str = ""
    parent: str = ""


ToolKind: TypeAlias = Literal[
    "read", "edit", "delete", "move", "search", "execute", "think", "fetch", "other"
]


class ToolCall(Fact, frozen=True, tag="tool_call"):
    """The agent uses a tool. Sent once per call, before its result."""

    id: str
    title: str
    """One line for a person, for example `Bash: pytest -q`."""
    tool: ToolKind = "other"
    input: str = ""
    """The tool's input as the agent gave it, as JSON text, cut to a readable length."""
    paths: tuple[str, ...] = ()
    """Files named by the call, relative to the tree where possible."""
    parent: str = ""


ToolStatus: TypeAlias = Literal["in_progress", "completed", "failed"]


class ToolCallUpdate(Fact, frozen=True, tag="tool_call_update"):
    """News of a tool call: its result, or that it failed."""

    id: str
    status: ToolStatus
    output: str = ""
    """What the tool gave back, cut to a readable length."""


LOST: Final = "The turn ended before a result came."
"""What a call gave back that was still running when its turn ended."""


class PlanEntry(Fact, frozen=True, tag="plan_entry"):
    text: str
    status: Literal["pending", "in_progress", "completed"] = "pending"


class PlanUpdated(Fact, frozen=True, tag="plan"):
    """The agent's list of what it means to do, whole each time."""

    entries: tuple[PlanEntry, ...]


class PermissionAsked(Fact, frozen=True, tag="permission_asked"):
    """The agent waits for a yes or a no before it uses a tool."""

    id: str
    """The agent's own id of the question; an answer names it."""
    title: str
    tool: ToolKind = "other"
    name: str = ""
    """The tool's name in the agent's own words, for example `Bash`."""
    input: str = ""
    paths: tuple[str, ...] = ()
    command: str = ""
    """The command line, whole, where the tool runs one: what rules about commands look at."""


class MessageTaken(Fact, frozen=True, tag="message_taken"):
    """The agent took a person's message into its running turn."""

    id: str
    """The id the message was sent with."""


COUNT_LIMIT: Final = 10**12
"""A count beyond this is nonsense, and counts as nothing."""


class UsageReported(Fact, frozen=True, tag="usage"):
    """Tokens and cost as the agent counts them. The gateway's ledger is the truth, this is for comparison."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cost_micros: int | None = None
    """Micro-dollars, where the agent names a price."""


StopReason: TypeAlias = Literal[
    "end_turn", "max_tokens", "max_turn_requests", "refusal", "cancelled", "error"
]


class TurnEnded(Fact, frozen=True, tag="turn_ended"):
    """The agent stopped and waits for the next prompt."""

    reason: StopReason
    error: str = ""
    """The agent's words about what went wrong; empty when nothing did."""
    status: int | None = None
    """HTTP status of the model call that failed, where the agent tells it."""


class Unreadable(Fact, frozen=True, tag="unreadable"):
    """A line that is not of the agent's protocol; kept, cut to a readable length, and otherwise ignored."""

    line: str
    why: str


AgentEvent: TypeAlias = (
    SessionStarted
    | MessageChunk
    | ThoughtChunk
    | ToolCall
    | ToolCallUpdate
    | PlanUpdated
    | PermissionAsked
    | MessageTaken
    | UsageReported
    | TurnEnded
    | Unreadable
)
"""The closed union every harness speaks."""
