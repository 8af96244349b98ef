"""One turn of Claude Code: its lines in, events and replies out."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from harnesses import claude_lines as lines
from harnesses import claude_tools as tools
from harnesses.base import Brief, Said, Send
from harnesses.claude_result import cut_result, ending
from harnesses.claude_streamed import Streamed
from harnesses.events import (
    LOST,
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
)
from harnesses.text import INPUT_LIMIT, OUTPUT_LIMIT, as_json, clip, excerpt, is_uuid, one_line

_STRANGE_LIMIT: Final = 20
DENIED: Final = "The user does not allow this. Find another way, or say why you need it."


class _Call(msgspec.Struct):
    """A tool call whose result has not come yet."""

    tool: str
    given: Mapping[str, Any]
    shown: bool


class _Open(msgspec.Struct):
    """A question without an answer, or whose answer may still be on its way."""

    ask: lines.Question
    reply: str = ""


class ClaudeSession:
    """The conversation of one turn, rebuilt by reading the same lines again."""

    def __init__(self, brief: Brief) -> None:
        self._brief = brief
        self._conversation = ""
        self._streamed = Streamed()
        self._plan = tools.Plan()
        self._calls: dict[str, _Call] = {}
        self._known: set[str] = set()
        self._open: dict[str, _Open] = {}
        self._strange: set[str] = set()
        self._interrupted = False
        self._ended = False

    def receive(self, line: str) -> Iterable[AgentEvent | Send]:
        if self._ended or not line.strip():
            return []
        read = lines.read(line)
        if isinstance(read, lines.Broken):
            return self._broken(line, read)
        if isinstance(read, lines.Result):
            return self._end(ending(read, interrupted=self._interrupted))
        return self._heard(read)

    def answer(self, permission: str, *, allow: bool, note: str = "") -> Iterable[Send]:
        """The first answer holds. It is given again when asked again, in case it was lost on its way."""
        open_ = self._open.get(permission)
        if open_ is None:
            return []
        if not open_.reply:
            answer = _allowed(open_.ask, note) if allow else _denied(note)
            open_.reply = _response(permission, {"subtype": "success", "response": answer})
        return [Send(open_.reply)]

    def steer(self, message: str, text: str) -> Iterable[Send]:
        if self._ended:
            return []
        said = {"type": "user", "uuid": message, "message": {"role": "user", "content": text}}
        return [Send(msgspec.json.encode(said).decode())]

    def interrupt(self) -> Iterable[Send]:
        if self._ended:
            return []
        self._interrupted = True
        request = {
            "type": "control_request",
            "request_id": f"interrupt-{self._brief.turn}",
            "request": {"subtype": "interrupt"},
        }
        return [Send(msgspec.json.encode(request).decode())]

    def _heard(self, line: lines.ClaudeLine) -> Said:
        match line:
            case lines.System():
                return self._system(line)
            case lines.StreamEvent():
                return self._piece(line)
            case lines.Assistant():
                return self._assistant(line)
            case lines.User():
                return self._user(line)
            case lines.ControlRequest():
                return self._question(line)
            case lines.ControlCancel():
                self._open.pop(line.request_id, None)
            case _:
                pass
        return []

    def _system(self, line: lines.System) -> Said:
        if line.subtype != "init" or line.session_id == self._conversation:
            return []
        name = line.session_id or ""
        if not is_uuid(name):
            # It would stand in the command line of the next turn.
            return [Unreadable(excerpt(name), "not a conversation id of Claude Code")]
        self._conversation = name
        return [SessionStarted(name, line.model or "", line.claude_code_version or "")]

    def _piece(self, line: lines.StreamEvent) -> Said:
        parent = line.parent_tool_use_id or ""
        piece = line.event
        if piece.type == "message_start" and piece.message:
            self._streamed.start(parent, piece.message.id or "")
        if piece.type != "content_block_delta" or piece.delta is None:
            return []
        if piece.delta.type == "text_delta" and piece.delta.text:
            return [self._say("text", piece.delta.text, parent)]
        if piece.delta.type == "thinking_delta" and piece.delta.thinking:
            return [self._say("thinking", piece.delta.thinking, parent)]
        return []

    def _say(self, kind: Literal["text", "thinking"], text: str, parent: str) -> AgentEvent:
        message = self._streamed.add(parent, kind, text)
        return _chunk(kind, text, message, parent)

    def _assistant(self, line: lines.Assistant) -> Said:
        parent = line.parent_tool_use_id or ""
        message = line.message.id or ""
        said: Said = []
        for block in line.message.blocks:
            match block.type:
                case "text" | "thinking" as kind:
                    whole = (block.text if kind == "text" else block.thinking) or ""
                    if rest := self._streamed.rest(parent, message, kind, whole):
                        said.append(_chunk(kind, rest, message, parent))
                case "tool_use":
                    said += self._call(block, parent)
                case _:
                    pass
        return said

    def _call(self, block: lines.Block, parent: str) -> Said:
        name, given = block.name or "", block.input if isinstance(block.input, dict) else {}
        if not block.id or block.id in self._known:
            return []
        self._known.add(block.id)
        shown = bool(parent) or name not in tools.PLAN_TOOLS
        self._calls[block.id] = _Call(name, given, shown)
        if not shown:
            return []
        where = self._brief.workspace
        return [
            ToolCall(
                id=block.id,
                title=tools.title(name, given, where),
                tool=tools.kind(name),
                input=as_json(block.input),
                paths=tools.paths(given, where),
                parent=parent,
            )
        ]

    def _user(self, line: lines.User) -> Said:
        said: Said = []
        if line.replayed and line.uuid and line.message.content != self._brief.prompt:
            said.append(MessageTaken(one_line(line.uuid)))
        for block in line.message.blocks:
            if block.type == "tool_result" and block.tool_use_id:
                said += self._result(block.tool_use_id, block, line.tool_use_result)
        return said

    def _result(self, name: str, block: lines.Block, detail: Any) -> Said:
        kept = {key: open_ for key, open_ in self._open.items() if open_.ask.tool_use_id != name}
        self._open = kept
        call = self._calls.pop(name, None)
        if call is None:
            return []
        if call.shown:
            status: Literal["failed", "completed"] = "failed" if block.is_error else "completed"
            return [ToolCallUpdate(name, status, clip(_words(block.content), OUTPUT_LIMIT))]
        if not block.is_error and self._plan.apply(call.tool, call.given, detail):
            return [PlanUpdated(self._plan.entries)]
        return []

    def _question(self, line: lines.ControlRequest) -> Said:
        ask, name = line.request, line.request_id
        if ask.subtype != "can_use_tool":
            error = {"subtype": "error", "error": f"swarm does not serve {ask.subtype[:40]}"}
            return [Send(_response(name, error))]
        if name in self._open:
            return []
        self._open[name] = _Open(ask)
        where, given = self._brief.workspace, ask.given
        return [
            PermissionAsked(
                id=name,
                title=tools.title(ask.tool_name, given, where),
                tool=tools.kind(ask.tool_name),
                name=ask.tool_name,
                input=clip(bytes(ask.input).decode(), INPUT_LIMIT),
                paths=tools.paths(given, where),
                command=tools.command(ask.tool_name, given),
            )
        ]

    def _broken(self, line: str, broken: lines.Broken) -> Said:
        if broken.strange:
            if broken.kind in self._strange or len(self._strange) >= _STRANGE_LIMIT:
                return []
            self._strange.add(broken.kind)
        said: Said = [Unreadable(excerpt(line), broken.why)]
        if broken.kind == "result" or cut_result(line):
            said += self._end([TurnEnded("error", "The agent's last line is unreadable.")])
        return said

    def _end(self, last: list[AgentEvent]) -> Said:
        self._ended = True
        self._open.clear()
        lost: Said = [
            ToolCallUpdate(name, "failed", LOST) for name, call in self._calls.items() if call.shown
        ]
        self._calls.clear()
        return [*lost, *last]


def _chunk(kind: Literal["text", "thinking"], text: str, message: str, parent: str) -> AgentEvent:
    return (MessageChunk if kind == "text" else ThoughtChunk)(text, message, parent)


def _words(content: Any) -> str:
    """A tool's result as text; what is not text is named."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return "" if content is None else as_json(content)
    parts = [part if isinstance(part, dict) else {"text": part} for part in content]
    texts = [part.get("text") for part in parts]
    return "\n".join(
        text if isinstance(text, str) else f"[{clip(str(part.get('type')), 40)}]"
        for text, part in zip(texts, parts, strict=True)
    )


def _response(request: str, body: Mapping[str, Any]) -> str:
    response = {"subtype": body["subtype"], "request_id": request, **body}
    return msgspec.json.encode({"type": "control_response", "response": response}).decode()


def _allowed(ask: lines.Question, note: str) -> dict[str, Any]:
    # Without the input sent back, Claude Code runs the tool with none.
    given: Any = ask.input
    if ask.tool_name == tools.QUESTION:
        given = {**ask.given, "answers": tools.answers(ask.given, note)}
    return {"behavior": "allow", "updatedInput": given}


def _denied(note: str) -> dict[str, Any]:
    return {"behavior": "deny", "message": note or DENIED, "interrupt": False}
