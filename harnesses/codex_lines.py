"""What `codex app-server` says, as far as swarm reads it: typed parameters of its notices and requests.

The shapes are those of `codex app-server generate-json-schema`; keys that are not named here are ignored.
"""

from typing import Any, Final, TypeAlias

import msgspec


class _Params(msgspec.Struct, frozen=True, rename="camel"):
    """Parameters; keys are written in camel case."""


class Thread(_Params, frozen=True):
    id: str
    cli_version: str | None = None


class ThreadOpened(_Params, frozen=True):
    """The reply to `thread/start` and `thread/resume`."""

    thread: Thread
    model: str | None = None


class Trouble(_Params, frozen=True):
    """Why a turn failed, or a model call is tried again."""

    message: str = ""
    codex_error_info: Any = None


class CodexTurn(_Params, frozen=True):
    id: str
    status: str = ""
    error: Trouble | None = None


class TurnNews(_Params, frozen=True):
    """`turn/started`, `turn/completed`, and the reply to `turn/start`."""

    turn: CodexTurn
    thread_id: str = ""


class Change(_Params, frozen=True):
    path: str = ""
    diff: str = ""


class Item(_Params, frozen=True):
    """A piece of a turn: words, a command, changed files, a tool, another agent."""

    type: str
    id: str
    text: str | None = None
    summary: list[str] = []
    command: str | None = None
    aggregated_output: str | None = None
    exit_code: int | None = None
    status: Any = None
    changes: list[Change] = []
    server: str | None = None
    tool: str | None = None
    arguments: Any = None
    error: Any = None
    query: str | None = None
    path: str | None = None
    prompt: str | None = None
    receiver_thread_ids: list[str] = []


class ItemNews(_Params, frozen=True):
    """`item/started` and `item/completed`."""

    item: Item
    thread_id: str = ""


class Delta(_Params, frozen=True):
    """A piece of words."""

    delta: str
    item_id: str
    thread_id: str = ""


class PlanStep(_Params, frozen=True):
    step: str
    status: str = ""


class PlanNews(_Params, frozen=True):
    plan: list[PlanStep]
    thread_id: str = ""


class Tokens(_Params, frozen=True):
    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_input_tokens: int = 0
    output_tokens: int = 0


class TokenUsage(_Params, frozen=True):
    last: Tokens
    """Of the last model call."""


class UsageNews(_Params, frozen=True):
    token_usage: TokenUsage


class ErrorNews(_Params, frozen=True):
    error: Trouble
    will_retry: bool = False
    thread_id: str = ""


class Approval(_Params, frozen=True):
    """A question about a command or about changed files; the latter are told by the item."""

    item_id: str
    command: str | None = None
    reason: str | None = None


class Option(_Params, frozen=True):
    label: str = ""


class Question(_Params, frozen=True):
    id: str
    question: str = ""
    options: list[Option] | None = None


class UserInput(_Params, frozen=True):
    """The agent asks the user something."""

    item_id: str
    questions: list[Question]


CodexNews: TypeAlias = (
    TurnNews | ItemNews | Delta | PlanNews | UsageNews | ErrorNews | Approval | UserInput
)

NOTICES: Final[dict[str, type[msgspec.Struct]]] = {
    "turn/started": TurnNews,
    "turn/completed": TurnNews,
    "item/started": ItemNews,
    "item/completed": ItemNews,
    "item/agentMessage/delta": Delta,
    "item/reasoning/summaryTextDelta": Delta,
    "item/reasoning/textDelta": Delta,
    "turn/plan/updated": PlanNews,
    "thread/tokenUsage/updated": UsageNews,
    "error": ErrorNews,
}
"""Notices that are read; all others say nothing an event could carry."""
QUESTIONS: Final[dict[str, type[msgspec.Struct]]] = {
    "item/commandExecution/requestApproval": Approval,
    "item/fileChange/requestApproval": Approval,
    "item/tool/requestUserInput": UserInput,
}
"""Requests that a person can answer; all others are not served."""

_DECODERS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    name: msgspec.json.Decoder(form) for name, form in (NOTICES | QUESTIONS).items()
}
_OPENED: Final = msgspec.json.Decoder(ThreadOpened)
_STARTED: Final = msgspec.json.Decoder(TurnNews)


def read(method: str, params: msgspec.Raw) -> CodexNews | str:
    """The parameters of a notice or request, or why they cannot be read; never raises."""
    try:
        news: CodexNews = _DECODERS[method].decode(params)
    except (ValueError, RecursionError) as error:
        return str(error)[:200]
    return news


def opened(result: msgspec.Raw) -> ThreadOpened | None:
    try:
        return _OPENED.decode(result)
    except (ValueError, RecursionError):
        return None


def started(result: msgspec.Raw) -> TurnNews | None:
    try:
        return _STARTED.decode(result)
    except (ValueError, RecursionError):
        return None
