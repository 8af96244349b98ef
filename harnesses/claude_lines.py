"""What Claude Code prints in stream-JSON, as far as swarm reads it: one typed value per line.

Keys that are not named here are ignored, whatever their order: both change between versions.
"""

from typing import Any, Final, TypeAlias

import msgspec

from harnesses.text import sound


class Block(msgspec.Struct, frozen=True):
    """A piece of a message: text, thinking, a tool's use or its result."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None
    tool_use_id: str | None = None
    content: Any = None
    is_error: bool | None = None


class Message(msgspec.Struct, frozen=True):
    id: str | None = None
    content: str | list[Block] = ""

    @property
    def blocks(self) -> list[Block]:
        if isinstance(self.content, str):
            return [Block(type="text", text=self.content)] if self.content else []
        return self.content


class System(msgspec.Struct, frozen=True):
    subtype: str = ""
    session_id: str | None = None
    model: str | None = None
    claude_code_version: str | None = None


class Delta(msgspec.Struct, frozen=True):
    type: str = ""
    text: str | None = None
    thinking: str | None = None


class Piece(msgspec.Struct, frozen=True):
    """An event of the model's own stream."""

    type: str = ""
    message: Message | None = None
    delta: Delta | None = None


class StreamEvent(msgspec.Struct, frozen=True):
    event: Piece
    parent_tool_use_id: str | None = None


class Assistant(msgspec.Struct, frozen=True):
    """A finished block of what the model said; one line per block, all with the message's id."""

    message: Message
    parent_tool_use_id: str | None = None


class User(msgspec.Struct, frozen=True):
    """What was said to the model: results of tools, above all."""

    message: Message
    parent_tool_use_id: str | None = None
    tool_use_result: Any = None
    uuid: str | None = None
    replayed: bool = msgspec.field(default=False, name="isReplay")
    """Whether it is a prompt or message of the user's, said again the moment it is taken in."""


class Question(msgspec.Struct, frozen=True):
    subtype: str = ""
    tool_name: str = ""
    input: msgspec.Raw = msgspec.Raw(b"{}")
    """Kept as it came: an answer sends it back."""
    tool_use_id: str | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The input, decoded; empty when it cannot be."""
        try:
            return msgspec.json.decode(self.input, type=dict[str, Any])
        except (ValueError, RecursionError):
            return {}


class ControlRequest(msgspec.Struct, frozen=True):
    request_id: str
    request: Question


class ControlCancel(msgspec.Struct, frozen=True):
    """A question is withdrawn."""

    request_id: str


class Usage(msgspec.Struct, frozen=True):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class ModelUsage(msgspec.Struct, frozen=True, rename="camel"):
    """Tokens of one model, sub-agents included."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cost: float | None = msgspec.field(default=None, name="costUSD")


class Result(msgspec.Struct, frozen=True):
    """The end of a turn. `subtype` says `success` for a failed model call, too."""

    subtype: str = ""
    is_error: bool = False
    api_error_status: int | None = None
    result: str | None = None
    errors: list[Any] = []
    stop_reason: str | None = None
    terminal_reason: str | None = None
    total_cost_usd: float | None = None
    usage: Usage | None = None
    models: dict[str, ModelUsage] = msgspec.field(default_factory=dict, name="modelUsage")
    """Of the whole process; after a resume, of the whole conversation."""
    models_now: dict[str, ModelUsage] = msgspec.field(
        default_factory=dict, name="model_usage_since_last_result"
    )
    """Of this turn alone, where the version tells it."""


class Broken(msgspec.Struct, frozen=True):
    """Not a line of this protocol, or not of the form this version knows."""

    why: str
    kind: str = ""
    """The line's type, where it could be read."""
    strange: bool = False
    """Whether the line is sound and only its type is new to us."""


class Noise(msgspec.Struct, frozen=True):
    """A line that says nothing an event could carry."""


ClaudeLine: TypeAlias = (
    System
    | StreamEvent
    | Assistant
    | User
    | ControlRequest
    | ControlCancel
    | Result
    | Broken
    | Noise
)


class _Envelope(msgspec.Struct, frozen=True):
    type: str


_FORMS: Final[dict[str, type[msgspec.Struct]]] = {
    "system": System,
    "stream_event": StreamEvent,
    "assistant": Assistant,
    "user": User,
    "control_request": ControlRequest,
    "control_cancel_request": ControlCancel,
    "result": Result,
}
_NOISE: Final = frozenset(
    {
        "control_response",
        "keep_alive",
        "rate_limit_event",
        "tool_progress",
        "tool_use_summary",
        "auth_status",
        "prompt_suggestion",
    }
)
_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_DECODERS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    kind: msgspec.json.Decoder(form) for kind, form in _FORMS.items()
}


def read(line: str) -> ClaudeLine:
    """The line as a value; never raises."""
    kind = ""
    try:
        data = sound(line)
        kind = _ENVELOPE.decode(data).type
        if kind in _NOISE:
            return Noise()
        if kind not in _DECODERS:
            return Broken(f"lines of type {kind[:40]!r} are unknown", kind, strange=True)
        value: ClaudeLine = _DECODERS[kind].decode(data)
    except (ValueError, RecursionError) as error:
        return Broken(str(error)[:200], kind)
    return value
