"""One turn in the Agent Client Protocol: what the agent says in, events and replies out."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from harnesses import acp_lines as lines
from harnesses import acp_tools as tools
from harnesses import jsonrpc, relay
from harnesses.base import Brief, Said, Send
from harnesses.events import (
    COUNT_LIMIT,
    LOST,
    AgentEvent,
    MessageChunk,
    PermissionAsked,
    PlanEntry,
    PlanUpdated,
    SessionStarted,
    StopReason,
    ThoughtChunk,
    ToolCallUpdate,
    TurnEnded,
    Unreadable,
    UsageReported,
)
from harnesses.text import OUTPUT_LIMIT, as_json, clip, excerpt, one_line

VERSION: Final = 1
"""Of the protocol; agents that speak another one say so in their greeting."""
INITIALIZE: Final = 1
OPEN: Final = 2
PROMPT: Final = 3
REPEATED: Final = 4
"""Of the first question whether an agent has repeated the whole conversation; the next has the next number."""
RPC: Final = {"jsonrpc": "2.0"}
_REASONS: Final[dict[str, StopReason]] = {
    "end_turn": "end_turn",
    "max_tokens": "max_tokens",
    "max_turn_requests": "max_turn_requests",
    "refusal": "refusal",
    "cancelled": "cancelled",
}
_STOPPED: Final = {"max_turn_requests": "it made as many model calls as it may"}
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}")


def is_conversation(text: str) -> bool:
    """Whether it is an id that may stand in a line to the agent."""
    return _NAME.fullmatch(text) is not None


class _Open(msgspec.Struct):
    """A question, and the answer once there is one."""

    id: jsonrpc.MethodId
    asked: lines.Asked
    reply: str = ""


class AcpSession:
    """The conversation of one turn, rebuilt by reading the same lines again."""

    def __init__(
        self,
        brief: Brief,
        meta: Mapping[str, Any] | None = None,
        titles: tools.Titles = "tools",
    ) -> None:
        self._brief = brief
        self._meta = meta or {}
        self._titles = titles
        self._asked_quiet = 0
        """The number of the question that waits for silence; 0 when none does."""
        self._repeats = False
        """Whether the agent says again what was said before the turn."""
        self._version = ""
        self._conversation = ""
        self._loads = False
        """Whether the agent takes a conversation up by saying it all again, possibly after it said that it has."""
        self._calls: dict[str, tools.Call] = {}
        self._open: dict[str, _Open] = {}
        self._cost: int | None = None
        self._interrupted = False
        self._ended = False

    def receive(self, line: str) -> Iterable[AgentEvent | Send]:
        if self._ended or not line.strip():
            return []
        match jsonrpc.read(line):
            case jsonrpc.Broken(why=why):
                return self._broken(line, why)
            case jsonrpc.Reply() as reply:
                return self._replied(line, reply)
            case jsonrpc.Request() as request:
                return self._requested(line, request)
            case jsonrpc.Notice(method="session/update", params=params):
                return self._told(line, lines.read(lines.News, params))
            case jsonrpc.Notice():
                return []

    def answer(self, permission: str, *, allow: bool, note: str = "") -> Iterable[Send]:
        """The first answer holds. It is given again when asked again, in case it was lost on its way."""
        open_ = self._open.get(permission)
        if open_ is None:
            return []
        if not open_.reply:
            outcome = {"outcome": _outcome(open_.asked, allow=allow)}
            open_.reply = jsonrpc.reply(open_.id, outcome, **RPC)
        return [Send(open_.reply)]

    def interrupt(self) -> Iterable[Send]:
        if self._ended:
            return []
        self._interrupted = True
        return [self._cancel()] if self._conversation else []

    def steer(self, message: str, text: str) -> Iterable[Send]:
        """Nothing: what an agent does with a second prompt, the protocol does not say."""
        return []

    def _cancel(self) -> Send:
        return Send(jsonrpc.notice("session/cancel", {"sessionId": self._conversation}, **RPC))

    def _replied(self, line: str, reply: jsonrpc.Reply) -> Said:
        if reply.fault is not None and reply.id in (INITIALIZE, OPEN, PROMPT):
            return self._failed(reply.fault, began=reply.id == PROMPT)
        if reply.id == INITIALIZE and not self._version:
            return self._greeted(lines.read(lines.Greeting, reply.result))
        if reply.id == OPEN and not self._conversation:
            return self._opened(lines.read(lines.Opened, reply.result))
        if self._asked_quiet and reply.id == self._asked_quiet:
            return self._quiet()
        if reply.id == PROMPT:
            ended = lines.read(lines.Prompted, reply.result)
            return self._broken(line, ended) if isinstance(ended, str) else self._finished(ended)
        return []

    def _greeted(self, greeting: lines.Greeting | str) -> Said:
        if isinstance(greeting, str) or greeting.protocol_version != VERSION:
            spoken = "" if isinstance(greeting, str) else f" {greeting.protocol_version}"
            return self._refused(f"it speaks version{spoken} of the protocol, swarm {VERSION}")
        info = greeting.agent_info or lines.AgentInfo()
        self._version = one_line(info.version or "unknown")
        place: dict[str, Any] = {"cwd": self._brief.workspace, "mcpServers": []}
        if self._meta:
            place["_meta"] = self._meta
        if not self._brief.conversation:
            return [Send(jsonrpc.request(OPEN, "session/new", place, **RPC))]
        can = greeting.agent_capabilities or lines.AgentCapabilities()
        resumes = (
            can.session_capabilities is not None and can.session_capabilities.resume is not None
        )
        if not resumes and not can.load_session:
            return self._refused("it cannot go on with a conversation")
        self._loads = not resumes
        method = "session/load" if self._loads else "session/resume"
        named = {"sessionId": self._brief.conversation, **place}
        return [Send(jsonrpc.request(OPEN, method, named, **RPC))]

    def _opened(self, opened: lines.Opened | str) -> Said:
        name = self._brief.conversation or ("" if isinstance(opened, str) else opened.session_id)
        if not is_conversation(name):
            # It would stand in what the next turn sends.
            return self._refused("it opened no conversation swarm could name")
        self._conversation = name
        began = SessionStarted(name, self._brief.model, self._version)
        return [began, *(self._ask_quiet() if self._loads else self._go())]

    def _go(self) -> Said:
        cancel = [self._cancel()] if self._interrupted else []
        return [Send(relay.go(self._conversation)), *cancel]

    def _ask_quiet(self) -> Said:
        """Ask for something that no agent knows: its answer stands behind what it was about to repeat."""
        self._asked_quiet = max(self._asked_quiet + 1, REPEATED)
        self._repeats = False
        return [Send(jsonrpc.request(self._asked_quiet, "_swarm/quiet", {}, **RPC))]

    def _quiet(self) -> Said:
        """Once nothing came between a question and its answer, whatever comes belongs to this turn."""
        if self._repeats:
            return self._ask_quiet()
        self._asked_quiet = 0
        return self._go()

    def _refused(self, why: str) -> Said:
        return self._end([TurnEnded("error", f"The agent could not begin: {why}.")])

    def _failed(self, fault: jsonrpc.Fault, *, began: bool) -> Said:
        words = clip(_words(fault), OUTPUT_LIMIT)
        if not began:
            return self._refused(words)
        status = fault.code if 400 <= fault.code <= 599 else None
        return self._end([TurnEnded("error", words, status)])

    def _finished(self, ended: lines.Prompted) -> Said:
        reason = _REASONS.get(ended.stop_reason)
        last: list[AgentEvent] = [_usage(ended, self._cost)]
        if reason is None:
            why = f"it stopped for a reason swarm does not know: {one_line(ended.stop_reason)}"
            return self._end([*last, TurnEnded("error", why)])
        return self._end([*last, TurnEnded(reason, _STOPPED.get(reason, ""))])

    def _requested(self, line: str, request: jsonrpc.Request) -> Said:
        name = str(request.id)
        if request.method != "session/request_permission" or not self._conversation:
            # Files and terminals, above all: the agent has its own, in its sandbox.
            return [Send(jsonrpc.unknown(request.id, request.method, **RPC))]
        if name in self._open:
            return []
        asked = lines.read(lines.Asked, request.params)
        if isinstance(asked, str):
            unserved = Send(jsonrpc.unknown(request.id, request.method, **RPC))
            return [Unreadable(excerpt(line), asked), unserved]
        self._open[name] = _Open(request.id, asked)
        call = self._call(asked.tool_call)
        raw = asked.tool_call.raw_input
        given = as_json(raw) if raw else call.input
        question = PermissionAsked(
            id=name,
            title=call.label,
            tool=call.kind,
            name=call.tool,
            input=given,
            paths=call.paths,
            command=tools.command(call.kind, raw or call.given),
        )
        return [*self._show(call), question]

    def _updated(self, update: lines.Update) -> Said:
        match update.session_update:
            case "agent_message_chunk" | "agent_thought_chunk" as kind:
                text = tools.words(update.content)
                form = MessageChunk if kind == "agent_message_chunk" else ThoughtChunk
                return [form(text, update.message_id or "")] if text else []
            case "tool_call" | "tool_call_update":
                return self._tool(update)
            case "plan":
                return [PlanUpdated(tuple(_entry(entry) for entry in update.entries or []))]
            case "usage_update":
                self._cost = _micros(update.cost)
            case _:
                pass
        return []

    def _told(self, line: str, news: lines.News | str) -> Said:
        if isinstance(news, str):
            return [Unreadable(excerpt(line), news)]
        if self._asked_quiet:
            self._repeats = True
            return []
        return self._updated(news.update) if self._conversation else []

    def _tool(self, update: lines.Update) -> Said:
        if not update.tool_call_id:
            return []
        call = self._call(update)
        ended = tools.result(update, call.id)
        if call.done:
            return []
        if ended is not None:
            call.done = True
            return [*self._show(call), ended]
        # A call is often announced before its input is known: it is told once it can be told whole.
        return self._show(call) if update.status == "in_progress" else []

    def _call(self, update: lines.Update) -> tools.Call:
        name = update.tool_call_id or ""
        call = self._calls.setdefault(name, tools.Call(name, self._titles))
        call.learn(update, self._brief.workspace)
        return call

    def _show(self, call: tools.Call) -> Said:
        if call.shown or not call.id:
            return []
        call.shown = True
        return [call.event()]

    def _broken(self, line: str, why: str) -> Said:
        said: Said = [Unreadable(excerpt(line), why)]
        # A last line that was too long and got cut: without it, the turn would never end.
        if re.match(rf'\s*\{{"jsonrpc":\s*"2.0",\s*"id":\s*{PROMPT},\s*"(result|error)"', line):
            said += self._end([TurnEnded("error", "The agent's last line is unreadable.")])
        return said

    def _end(self, last: list[AgentEvent]) -> Said:
        self._ended = True
        self._open.clear()
        running = [call for call in self._calls.values() if call.shown and not call.done]
        return [*(ToolCallUpdate(call.id, "failed", LOST) for call in running), *last]


def _outcome(asked: lines.Asked, *, allow: bool) -> dict[str, Any]:
    """The option that says it; agents that offer none of the kind are told that the question was dropped."""
    wanted = ("allow_once", "allow_always") if allow else ("reject_once", "reject_always")
    for kind in wanted:
        for option in asked.options:
            if option.kind == kind:
                return {"outcome": "selected", "optionId": option.option_id}
    return {"outcome": "cancelled"}


def _words(fault: jsonrpc.Fault) -> str:
    more = fault.data.get("message") if isinstance(fault.data, dict) else None
    told = [fault.message or f"error {fault.code}", more if isinstance(more, str) else ""]
    return ": ".join(word for word in told if word)


def _entry(entry: lines.PlanEntryPart) -> PlanEntry:
    match entry.status:
        case "in_progress" | "completed" as status:
            return PlanEntry(one_line(entry.content), status)
        case _:
            return PlanEntry(one_line(entry.content))


def _usage(ended: lines.Prompted, cost: int | None) -> UsageReported:
    told = ended.usage
    if told is None:
        meta = lines.read(lines.PromptedMeta, ended.meta)
        counted = lines.Counted() if isinstance(meta, str) else meta.quota.token_count
        told = lines.Usage(counted.input_tokens, counted.output_tokens)
    return UsageReported(
        input=_count(told.input_tokens),
        output=_count(told.output_tokens),
        cache_read=_count(told.cached_read_tokens),
        cache_write=_count(told.cached_write_tokens),
        cost_micros=cost,
    )


def _count(count: int | None) -> int:
    return count if count is not None and 0 <= count <= COUNT_LIMIT else 0


def _micros(cost: lines.Cost | None) -> int | None:
    if cost is None or cost.currency != "USD" or not 0 <= cost.amount <= COUNT_LIMIT:
        return None
    return round(cost.amount * 1_000_000)
