"""One turn of Codex: what its app-server says in, events and replies out."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from harnesses import codex_items as items
from harnesses import codex_lines as lines
from harnesses import jsonrpc, relay
from harnesses.base import Brief, Said, Send
from harnesses.events import (
    COUNT_LIMIT,
    LOST,
    AgentEvent,
    MessageChunk,
    MessageTaken,
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
from harnesses.text import OUTPUT_LIMIT, as_json, clip, excerpt, is_uuid, one_line, out_of_shell

INITIALIZE: Final = 1
THREAD: Final = 2
TURN: Final = 3
_TELL: Final = "tell-"
_REASONS: Final[dict[str, StopReason]] = {"completed": "end_turn", "interrupted": "cancelled"}
_PLANNED: Final = {"inProgress": "in_progress", "completed": "completed"}


class _Open(msgspec.Struct):
    """A question, and the answer once there is one."""

    id: jsonrpc.MethodId
    ask: lines.Approval | lines.UserInput
    reply: str = ""


class CodexSession:
    """The conversation of one turn, rebuilt by reading the same lines again."""

    def __init__(self, brief: Brief) -> None:
        self._brief = brief
        self._thread = ""
        self._turn = ""
        self._items: dict[str, lines.Item] = {}
        self._running: set[str] = set()
        self._streamed: set[str] = set()
        self._parents: dict[str, str] = {}
        self._open: dict[str, _Open] = {}
        self._used = UsageReported()
        self._interrupted = False
        self._ended = False

    def receive(self, line: str) -> Iterable[AgentEvent | Send]:
        if self._ended or not line.strip():
            return []
        match jsonrpc.read(line):
            case jsonrpc.Broken(why=why):
                return self._broken(line, why)
            case jsonrpc.Reply() as reply:
                return self._replied(reply)
            case jsonrpc.Request() as request:
                return self._asked(line, request)
            case jsonrpc.Notice() as notice:
                return self._noticed(line, notice)

    def answer(self, permission: str, *, allow: bool, note: str = "") -> Iterable[Send]:
        """The first answer holds. It is given again when asked again, in case it was lost on its way."""
        open_ = self._open.get(permission)
        if open_ is None:
            return []
        if not open_.reply:
            open_.reply = jsonrpc.reply(open_.id, _answer(open_.ask, allow=allow, note=note))
        return [Send(open_.reply)]

    def interrupt(self) -> Iterable[Send]:
        if self._ended:
            return []
        self._interrupted = True
        return self._stop() if self._turn else []

    def steer(self, message: str, text: str) -> Iterable[Send]:
        if self._ended or not self._turn:
            return []
        params = {
            "threadId": self._thread,
            "expectedTurnId": self._turn,
            "input": [{"type": "text", "text": text}],
            "clientUserMessageId": message,
        }
        return [Send(jsonrpc.request(_TELL + message, "turn/steer", params))]

    def _stop(self) -> list[Send]:
        params = {"threadId": self._thread, "turnId": self._turn}
        return [Send(jsonrpc.request("interrupt", "turn/interrupt", params))]

    def _replied(self, reply: jsonrpc.Reply) -> Said:
        if isinstance(reply.id, str):
            if reply.id.startswith(_TELL) and reply.fault is None:
                return [MessageTaken(reply.id.removeprefix(_TELL))]
            return []
        if reply.fault is not None and reply.id in (INITIALIZE, THREAD, TURN):
            words = reply.fault.message or f"error {reply.fault.code}"
            return self._end([TurnEnded("error", f"Codex refused to start: {clip(words, 2000)}")])
        if reply.id == THREAD and not self._thread:
            return self._began(lines.opened(reply.result))
        if reply.id == TURN and (told := lines.started(reply.result)) is not None:
            return self._turning(told.turn.id)
        return []

    def _began(self, opened: lines.ThreadOpened | None) -> Said:
        if opened is None or not is_uuid(opened.thread.id):
            # It would stand in what the next turn sends.
            return self._end([TurnEnded("error", "Codex opened no conversation swarm could name.")])
        self._thread = opened.thread.id
        version = opened.thread.cli_version or ""
        return [
            SessionStarted(self._thread, opened.model or "", one_line(version)),
            Send(relay.go(self._thread)),
        ]

    def _turning(self, turn: str) -> Said:
        if self._turn:
            return []
        self._turn = turn
        return [*self._stop()] if self._interrupted else []

    def _asked(self, line: str, request: jsonrpc.Request) -> Said:
        name = str(request.id)
        if request.method not in lines.QUESTIONS:
            return [Send(jsonrpc.unknown(request.id, request.method))]
        if name in self._open:
            return []
        ask = lines.read(request.method, request.params)
        if not isinstance(ask, lines.Approval | lines.UserInput):
            unserved = Send(jsonrpc.unknown(request.id, request.method))
            return [Unreadable(excerpt(line), str(ask)), unserved]
        self._open[name] = _Open(request.id, ask)
        return [self._question(name, ask)]

    def _question(self, name: str, ask: lines.Approval | lines.UserInput) -> PermissionAsked:
        if isinstance(ask, lines.UserInput):
            asked = "; ".join(_words_of(question) for question in ask.questions)
            return PermissionAsked(name, one_line("Question: " + asked), "other", "question", asked)
        item = self._items.get(ask.item_id) or lines.Item("commandExecution", ask.item_id)
        if ask.command is not None:
            item = msgspec.structs.replace(item, command=ask.command)
        where = self._brief.workspace
        return PermissionAsked(
            id=name,
            title=items.title(item, where),
            tool=items.kind(item),
            name=items.name(item),
            input=items.given(item),
            paths=items.paths(item, where),
            command=out_of_shell(item.command or ""),
        )

    def _noticed(self, line: str, notice: jsonrpc.Notice) -> Said:
        if notice.method not in lines.NOTICES:
            return []
        news = lines.read(notice.method, notice.params)
        match news:
            case lines.TurnNews():
                return self._turn_news(notice.method, news)
            case lines.ItemNews():
                started = notice.method == "item/started"
                return self._item_started(news) if started else self._item_completed(news)
            case lines.Delta():
                self._streamed.add(news.item_id)
                kind = "text" if notice.method == "item/agentMessage/delta" else "thinking"
                return [_chunk(kind, news.delta, news.item_id, self._parent(news.thread_id))]
            case lines.PlanNews():
                return self._plan(news)
            case lines.UsageNews():
                self._used = _sum(self._used, news.token_usage.last)
            case str():
                return self._broken(line, news)
            case _:
                pass
        return []

    def _turn_news(self, method: str, news: lines.TurnNews) -> Said:
        if not self._ours(news.thread_id):
            return []
        if method == "turn/started":
            return self._turning(news.turn.id)
        reason = _REASONS.get(news.turn.status, "error")
        trouble = news.turn.error or lines.Trouble(f"the turn ended as {news.turn.status!r}")
        if reason != "error":
            return self._end([self._used, TurnEnded(reason)])
        words = clip(trouble.message or as_json(trouble.codex_error_info), OUTPUT_LIMIT)
        return self._end([self._used, TurnEnded("error", words, items.status_of(trouble))])

    def _item_started(self, news: lines.ItemNews) -> Said:
        item = news.item
        known, self._items[item.id] = item.id in self._items, item
        for thread in item.receiver_thread_ids:
            self._parents.setdefault(thread, item.id)
        if known or not items.is_tool(item):
            return []
        self._running.add(item.id)
        return [items.call(item, self._brief.workspace, self._parent(news.thread_id))]

    def _item_completed(self, news: lines.ItemNews) -> Said:
        item = news.item
        begun = self._item_started(news) if item.id not in self._items else []
        for thread in item.receiver_thread_ids:
            self._parents.setdefault(thread, item.id)
        if item.id in self._running:
            self._running.discard(item.id)
            return [*begun, items.result(item)]
        parent, whole = self._parent(news.thread_id), item.id in self._streamed
        if item.type == "agentMessage" and item.text and not whole:
            return [_chunk("text", item.text, item.id, parent)]
        if item.type == "reasoning" and item.summary and not whole:
            return [_chunk("thinking", "\n".join(item.summary), item.id, parent)]
        return []

    def _plan(self, news: lines.PlanNews) -> Said:
        ours = self._ours(news.thread_id)
        return [PlanUpdated(tuple(_step(step) for step in news.plan))] if ours else []

    def _parent(self, thread: str) -> str:
        """The call that started the agent speaking; empty for the main one."""
        return self._parents.get(thread, "") if not self._ours(thread) else ""

    def _ours(self, thread: str) -> bool:
        return thread in ("", self._thread)

    def _broken(self, line: str, why: str) -> Said:
        said: Said = [Unreadable(excerpt(line), why)]
        # A last line that was too long and got cut: without it, the turn would never end.
        if line.lstrip().startswith('{"method":"turn/completed"'):
            said += self._end([TurnEnded("error", "The agent's last line is unreadable.")])
        return said

    def _end(self, last: list[AgentEvent]) -> Said:
        self._ended = True
        self._open.clear()
        lost: Said = [ToolCallUpdate(name, "failed", LOST) for name in sorted(self._running)]
        self._running.clear()
        return [*lost, *last]


def _chunk(kind: str, text: str, message: str, parent: str) -> AgentEvent:
    return (MessageChunk if kind == "text" else ThoughtChunk)(text, message, parent)


def _step(step: lines.PlanStep) -> PlanEntry:
    match _PLANNED.get(step.status):
        case "in_progress":
            return PlanEntry(one_line(step.step), "in_progress")
        case "completed":
            return PlanEntry(one_line(step.step), "completed")
        case _:
            return PlanEntry(one_line(step.step))


def _sum(used: UsageReported, last: lines.Tokens) -> UsageReported:
    """Codex counts what came from a cache among the input."""
    counts = [last.input_tokens, last.cached_input_tokens, last.output_tokens]
    counts.append(last.cache_write_input_tokens)
    if not all(0 <= count <= COUNT_LIMIT for count in counts):
        return used
    return UsageReported(
        input=used.input + max(0, last.input_tokens - last.cached_input_tokens),
        output=used.output + last.output_tokens,
        cache_read=used.cache_read + last.cached_input_tokens,
        cache_write=used.cache_write + last.cache_write_input_tokens,
    )


def _answer(ask: lines.Approval | lines.UserInput, *, allow: bool, note: str) -> dict[str, Any]:
    if isinstance(ask, lines.Approval):
        return {"decision": "accept" if allow else "decline"}
    chosen = {question.id: {"answers": [_choice(question, note)]} for question in ask.questions}
    return {"answers": chosen if allow else {}}


def _choice(question: lines.Question, note: str) -> str:
    options = question.options or []
    return note or (options[0].label if options else "yes")


def _words_of(question: lines.Question) -> str:
    labels = " | ".join(option.label for option in question.options or [])
    return f"{question.question} ({labels})" if labels else question.question
