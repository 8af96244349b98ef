"""The driver of `codex exec --json`: a prompt in, a line of JSON for each thing that happens, an end."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from pydantic import Field

from harnesses.base import Brief, Capabilities, Launch, Said, Send, Session
from harnesses.errors import HarnessError
from harnesses.events import (
    LOST,
    MessageChunk,
    PlanEntry,
    PlanUpdated,
    SessionStarted,
    ThoughtChunk,
    ToolCall,
    ToolCallUpdate,
    ToolKind,
    TurnEnded,
    Unreadable,
    UsageReported,
)
from harnesses.text import (
    OUTPUT_LIMIT,
    as_json,
    clip,
    excerpt,
    is_uuid,
    one_line,
    out_of_shell,
    relative,
    sound,
)
from harnesses.written import Written, read_form

_START: Final = """\
mkdir -p -- "$HOME" "$CODEX_HOME" || exit
rm -f -- "$CODEX_HOME/config.toml" && cat -- "$0/config.toml" >"$CODEX_HOME/config.toml" || exit
export BASH_ENV="$0/shell.sh"
exec "$@" - <"$0/prompt.txt"
"""
"""`$0` is where the launch files are. Standard input is the prompt, and ends: Codex waits for the end."""
_KINDS: Final[Mapping[str, ToolKind]] = {
    "command_execution": "execute",
    "file_change": "edit",
    "mcp_tool_call": "other",
    "web_search": "fetch",
    "collab_tool_call": "think",
}


class CodexExecSettings(Written):
    """The `settings` of an agent that runs Codex once a turn."""

    command: str = Field("codex", min_length=1)
    """The program inside the sandbox."""
    instructions: str = ""
    """Told to the agent before the repository's own instructions."""


class CodexExec:
    """The driver of Codex's one-shot mode."""

    name = "codex-exec"
    capabilities = Capabilities(
        resume=True, stop_dialect="codex", dialect="responses", gateway_path="/openai"
    )

    def check(self, settings: Mapping[str, Any]) -> None:
        read_form(CodexExecSettings, settings, "settings")

    def launch(self, brief: Brief) -> Launch:
        settings = read_form(CodexExecSettings, brief.settings, "settings")
        command = (settings.command, "exec", *_resumed(brief.conversation), "--json")
        argv = ("bash", "-c", _START, brief.launch, *command, "--skip-git-repo-check", _FREE)
        if brief.conversation:
            argv = (*argv, brief.conversation)
        told = (settings.instructions, brief.instructions, brief.prompt)
        return Launch(
            argv=argv,
            env={
                "HOME": f"{brief.state}/home",
                "CODEX_HOME": f"{brief.state}/codex",
                "SWARM_TOKEN": brief.key,
            },
            files={
                "prompt.txt": "\n\n".join(filter(None, told)).encode(),
                "config.toml": _config(brief).encode(),
                "shell.sh": b"unset SWARM_TOKEN\n",
            },
            interactive=False,
        )

    def session(self, brief: Brief) -> Session:
        return CodexExecSession(brief)


_FREE: Final = "--dangerously-bypass-approvals-and-sandbox"
"""The container is the sandbox: Codex's own cannot work inside a hardened one."""


def _resumed(conversation: str) -> tuple[str, ...]:
    if conversation and not is_uuid(conversation):
        raise HarnessError(
            f"{conversation[:60]!r} is not a conversation of Codex",
            hint="Start a fresh run with `swarm retry`.",
        )
    return ("resume",) if conversation else ()


def _config(brief: Brief) -> str:
    """The configuration, whole: nothing of the repository's is read, and there is one provider, the gateway."""
    return f"""\
model = {json.dumps(brief.model)}
model_provider = "swarm"
check_for_update_on_startup = false
project_doc_max_bytes = 0
web_search = "disabled"
[features]
plugins = false
apps = false
remote_plugin = false
[analytics]
enabled = false
[shell_environment_policy]
exclude = ["SWARM_*"]
[projects.{json.dumps(brief.workspace)}]
trust_level = "untrusted"
[model_providers.swarm]
name = "swarm gateway"
base_url = {json.dumps(brief.gateway.rstrip("/") + "/openai/v1")}
env_key = "SWARM_TOKEN"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1
"""


class _Change(msgspec.Struct, frozen=True):
    path: str = ""


class _Entry(msgspec.Struct, frozen=True):
    text: str = ""
    completed: bool = False


class _Item(msgspec.Struct, frozen=True):
    type: str
    id: str = ""
    text: str = ""
    message: str = ""
    command: str = ""
    aggregated_output: str = ""
    exit_code: int | None = None
    status: str = ""
    tool: str = ""
    query: str = ""
    prompt: str | None = None
    changes: tuple[_Change, ...] = ()
    items: tuple[_Entry, ...] = ()


class _Usage(msgspec.Struct, frozen=True):
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0


class _Trouble(msgspec.Struct, frozen=True):
    message: str = ""


class _Line(msgspec.Struct, frozen=True):
    """One line of output. Keys that are not named here are ignored."""

    type: str
    thread_id: str = ""
    item: _Item | None = None
    usage: _Usage = _Usage()
    error: _Trouble = _Trouble()


_DECODER: Final = msgspec.json.Decoder(_Line)


class CodexExecSession:
    """One turn: lines in, events out. It takes no answers, and cannot be spoken to."""

    def __init__(self, brief: Brief) -> None:
        self._brief = brief
        self._open: dict[str, None] = {}
        self._ended = False

    def receive(self, line: str) -> Said:
        if self._ended or not line.strip():
            return []
        try:
            said = _DECODER.decode(sound(line))
        except (ValueError, RecursionError) as error:
            return [Unreadable(excerpt(line), str(error)[:200])]
        match said.type:
            case "thread.started" if is_uuid(said.thread_id):
                return [SessionStarted(said.thread_id, self._brief.model)]
            case "item.started" | "item.updated" | "item.completed" if said.item is not None:
                return self._item(said.item, over=said.type == "item.completed")
            case "turn.completed":
                return self._end(_usage(said.usage), TurnEnded("end_turn"))
            case "turn.failed":
                return self._end(TurnEnded("error", said.error.message or "the turn failed"))
            case "turn.started" | "error":
                return []  # An error that ends the turn is told by `turn.failed`, too.
            case _:
                return [Unreadable(excerpt(line), "nothing that Codex is known to say")]

    def answer(self, permission: str, *, allow: bool, note: str = "") -> Iterable[Send]:
        return []

    def steer(self, message: str, text: str) -> Iterable[Send]:
        return []

    def interrupt(self) -> Iterable[Send]:
        return []

    def _item(self, item: _Item, *, over: bool) -> Said:
        match item.type:
            case "agent_message":
                return [MessageChunk(f"{item.text}\n", self._id(item))] if over else []
            case "error":
                return [MessageChunk(f"{item.message}\n", self._id(item))] if over else []
            case "reasoning":
                return [ThoughtChunk(f"{item.text}\n", self._id(item))] if over else []
            case "todo_list":
                return [PlanUpdated(tuple(_planned(entry) for entry in item.items))]
            case kind if kind in _KINDS:
                return self._tool(item, over=over)
            case _:
                return []

    def _tool(self, item: _Item, *, over: bool) -> Said:
        call, said = self._id(item), Said()
        if call not in self._open:
            self._open[call] = None
            said.append(_call(item, call, self._brief.workspace))
        if over:
            del self._open[call]
            failed = item.status == "failed" or item.exit_code not in (None, 0)
            output = clip(item.aggregated_output, OUTPUT_LIMIT)
            said.append(ToolCallUpdate(call, "failed" if failed else "completed", output))
        return said

    def _end(self, *last: UsageReported | TurnEnded) -> Said:
        self._ended = True
        return [*(ToolCallUpdate(call, "failed", LOST) for call in self._open), *last]

    def _id(self, item: _Item) -> str:
        """Codex counts from 0 in every process."""
        return f"{self._brief.turn}-{item.id}"


def _call(item: _Item, call: str, workspace: str) -> ToolCall:
    paths = tuple(relative(change.path, workspace) for change in item.changes if change.path)
    command = out_of_shell(item.command)
    what = command or ", ".join(paths) or item.query or item.prompt or item.tool
    return ToolCall(
        id=call,
        title=one_line(f"{item.type.replace('_', ' ')}: {what}"),
        tool=_KINDS[item.type],
        input=as_json({"command": command} if command else {"changes": paths}),
        paths=paths,
    )


def _planned(entry: _Entry) -> PlanEntry:
    return PlanEntry(entry.text, "completed" if entry.completed else "pending")


def _usage(usage: _Usage) -> UsageReported:
    """Of the whole conversation: Codex counts on when it is resumed."""
    return UsageReported(
        input=max(0, usage.input_tokens - usage.cached_input_tokens),
        output=usage.output_tokens,
        cache_read=usage.cached_input_tokens,
    )
