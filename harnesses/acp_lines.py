"""What an agent says in the Agent Client Protocol, version 1, as far as swarm reads it.

The shapes are those of the protocol's schema; keys that are not named here are ignored, and parts an agent
leaves out have a neutral value, because agents differ in what they send.
"""

from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """A part of a message; keys are written in camel case."""


class AgentInfo(_Part, frozen=True):
    name: str | None = None
    version: str | None = None


class SessionCapabilities(_Part, frozen=True):
    resume: Any = None
    """Present when the agent can go on with a conversation without saying it all again."""


class AgentCapabilities(_Part, frozen=True):
    load_session: bool | None = None
    """Whether it can go on with a conversation after saying it all again."""
    session_capabilities: SessionCapabilities | None = None


class Greeting(_Part, frozen=True):
    """The reply to `initialize`."""

    protocol_version: int | str = 0
    agent_capabilities: AgentCapabilities | None = None
    agent_info: AgentInfo | None = None


class Opened(_Part, frozen=True):
    """The reply to `session/new`; those to `session/resume` and `session/load` name no id."""

    session_id: str = ""


class Usage(_Part, frozen=True):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_read_tokens: int | None = None
    cached_write_tokens: int | None = None


class Prompted(_Part, frozen=True):
    """The reply to `session/prompt`: the end of the turn."""

    stop_reason: str = ""
    usage: Usage | None = None
    meta: msgspec.Raw = msgspec.field(default=msgspec.Raw(b"{}"), name="_meta")


class Counted(msgspec.Struct, frozen=True):
    input_tokens: int | None = None
    output_tokens: int | None = None


class Quota(msgspec.Struct, frozen=True):
    token_count: Counted = Counted()


class PromptedMeta(msgspec.Struct, frozen=True):
    """What Gemini CLI tells of its usage beside the protocol."""

    quota: Quota = Quota()


class Location(_Part, frozen=True):
    path: str = ""


class Cost(_Part, frozen=True):
    amount: float = 0.0
    currency: str = ""


class PlanEntryPart(_Part, frozen=True):
    content: str = ""
    status: str = ""


class Update(_Part, frozen=True):
    """What is new; which parts are there depends on `session_update`."""

    session_update: str = ""
    content: Any = None
    message_id: str | None = None
    tool_call_id: str | None = None
    title: str | None = None
    kind: str | None = None
    status: str | None = None
    locations: list[Location] | None = None
    raw_input: Any = None
    raw_output: Any = None
    entries: list[PlanEntryPart] | None = None
    cost: Cost | None = None


class News(_Part, frozen=True):
    """`session/update`."""

    update: Update


class Choice(_Part, frozen=True):
    option_id: str
    kind: str = ""


class Asked(_Part, frozen=True):
    """`session/request_permission`."""

    tool_call: Update
    options: list[Choice] = []


_DECODERS: Final[dict[type[msgspec.Struct], msgspec.json.Decoder[Any]]] = {
    form: msgspec.json.Decoder(form)
    for form in (Greeting, Opened, Prompted, PromptedMeta, News, Asked)
}


def read(form: type[T], data: msgspec.Raw) -> T | str:
    """The data as that form, or why it is not; never raises."""
    try:
        value: T = _DECODERS[form].decode(data)
    except (ValueError, RecursionError) as error:
        return str(error)[:200]
    return value
