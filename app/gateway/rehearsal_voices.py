"""How the scripted model endpoint says a turn in each dialect, whole and as the frames of a stream. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

from app.gateway.rehearsal_script import Tokens, Turn, conversation

Body = Mapping[str, Any]


class Voice(Protocol):
    """One dialect, as far as a scripted provider needs it."""

    def serves(self, path: str) -> bool: ...

    def streams(self, path: str, body: Body) -> bool: ...

    def limits(self, body: Body) -> Iterator[object]:
        """By what a request limits the output."""
        ...

    def whole(self, turn: Turn, usage: Tokens, body: Body) -> dict[str, Any]:
        """The reply as one JSON document."""
        ...

    def frames(self, turn: Turn, usage: Tokens, body: Body) -> Iterator[bytes]:
        """The same reply as the events of a stream."""
        ...

    def error(self, status: int, message: str) -> dict[str, Any]: ...


class _Plain:
    """What the dialects have in common whose path is always the same."""

    path = ""
    limited_by: tuple[str, ...] = ()

    def serves(self, path: str) -> bool:
        return path == self.path

    def streams(self, path: str, body: Body) -> bool:
        return bool(body.get("stream"))

    def limits(self, body: Body) -> Iterator[object]:
        return (body.get(name) for name in self.limited_by)


class AnthropicVoice(_Plain):
    """Anthropic Messages."""

    path = "/v1/messages"
    limited_by = ("max_tokens",)

    def whole(self, turn: Turn, usage: Tokens, body: Body) -> dict[str, Any]:
        content: list[dict[str, Any]] = [{"type": "text", "text": turn.say}] if turn.say else []
        for number, use in enumerate(turn.use):
            block = {"type": "tool_use", "id": tool_id(body, number, "toolu"), "name": use.tool}
            content.append({**block, "input": dict(use.input)})
        reason = "tool_use" if turn.use else "end_turn"
        return {
            "id": f"msg_scripted_{len(conversation(body))}",
            "type": "message",
            "role": "assistant",
            "model": body.get("model", ""),
            "content": content,
            "stop_reason": "max_tokens" if is_cut(turn, usage) else reason,
            "stop_sequence": None,
            "usage": self._told(usage),
        }

    def frames(self, turn: Turn, usage: Tokens, body: Body) -> Iterator[bytes]:
        for event in self._events(turn, usage, body):
            yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()

    def error(self, status: int, message: str) -> dict[str, Any]:
        known = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error"}
        kind = known.get(status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}}

    def _events(self, turn: Turn, usage: Tokens, body: Body) -> Iterator[dict[str, Any]]:
        whole = self.whole(turn, usage, body)
        begun = self._told(usage) | {"output_tokens": 1}
        start = whole | {"content": [], "stop_reason": None, "usage": begun}
        yield {"type": "message_start", "message": start}
        yield {"type": "ping"}
        for index, block in enumerate(whole["content"]):
            is_text = block["type"] == "text"
            empty = {"type": "text", "text": ""} if is_text else block | {"input": {}}
            yield {"type": "content_block_start", "index": index, "content_block": empty}
            for piece in pieces(block["text"] if is_text else json.dumps(block["input"])):
                delta = (
                    {"type": "text_delta", "text": piece}
                    if is_text
                    else {"type": "input_json_delta", "partial_json": piece}
                )
                yield {"type": "content_block_delta", "index": index, "delta": delta}
            yield {"type": "content_block_stop", "index": index}
        end: dict[str, Any] = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
        yield {"type": "message_delta", "delta": end, "usage": {"output_tokens": usage.output}}
        yield {"type": "message_stop"}

    def _told(self, usage: Tokens) -> dict[str, Any]:
        written = {
            "ephemeral_5m_input_tokens": usage.cache_write,
            "ephemeral_1h_input_tokens": usage.cache_write_long,
        }
        return {
            "input_tokens": usage.input,
            "output_tokens": usage.output,
            "cache_read_input_tokens": usage.cache_read,
            "cache_creation_input_tokens": usage.written,
            "cache_creation": written,
            "service_tier": "standard",
        }


class ChatVoice(_Plain):
    """OpenAI Chat Completions."""

    path = "/v1/chat/completions"
    limited_by = ("max_completion_tokens", "max_tokens")

    def whole(self, turn: Turn, usage: Tokens, body: Body) -> dict[str, Any]:
        turn = without_unoffered(turn, body)
        message: dict[str, Any] = {"role": "assistant", "content": turn.say or None}
        if turn.use:
            message["tool_calls"] = self._calls(turn, body)
        reason = "tool_calls" if turn.use else "stop"
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": "length" if is_cut(turn, usage) else reason,
        }
        return self._frame(body, "chat.completion", [choice]) | {"usage": self._told(usage)}

    def frames(self, turn: Turn, usage: Tokens, body: Body) -> Iterator[bytes]:
        whole = self.whole(turn, usage, body)
        message = whole["choices"][0]["message"]
        yield self._chunk(body, {"role": "assistant", "content": ""})
        for piece in pieces(message["content"] or ""):
            yield self._chunk(body, {"content": piece})
        for index, call in enumerate(message.get("tool_calls", ())):
            named = {"name": call["function"]["name"], "arguments": ""}
            begun = {"index": index, **call, "function": named}
            yield self._chunk(body, {"tool_calls": [begun]})
            for piece in pieces(call["function"]["arguments"]):
                more = {"index": index, "function": {"arguments": piece}}
                yield self._chunk(body, {"tool_calls": [more]})
        yield self._chunk(body, {}, whole["choices"][0]["finish_reason"])
        if (body.get("stream_options") or {}).get("include_usage"):
            last = self._frame(body, "chat.completion.chunk", []) | {"usage": self._told(usage)}
            yield data(last)
        yield b"data: [DONE]\n\n"

    def error(self, status: int, message: str) -> dict[str, Any]:
        return openai_error(status, message)

    def _chunk(self, body: Body, delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return data(self._frame(body, "chat.completion.chunk", [choice]))

    def _frame(self, body: Body, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        name = f"chatcmpl-scripted-{len(conversation(body))}"
        model = body.get("model", "")
        return {"id": name, "object": kind, "created": 0, "model": model, "choices": choices}

    def _calls(self, turn: Turn, body: Body) -> list[dict[str, Any]]:
        return [
            {
                "id": tool_id(body, number, "call"),
                "type": "function",
                "function": {"name": use.tool, "arguments": json.dumps(dict(use.input))},
            }
            for number, use in enumerate(turn.use)
        ]

    def _told(self, usage: Tokens) -> dict[str, Any]:
        sent = usage.input + usage.cache_read + usage.written
        details = {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.written}
        return {
            "prompt_tokens": sent,
            "completion_tokens": usage.output,
            "total_tokens": sent + usage.output,
            "prompt_tokens_details": details,
        }


class ResponsesVoice(_Plain):
    """OpenAI Responses."""

    path = "/v1/responses"
    limited_by = ("max_output_tokens",)

    def whole(self, turn: Turn, usage: Tokens, body: Body) -> dict[str, Any]:
        turn = without_unoffered(turn, body)
        was_cut = is_cut(turn, usage)
        return {
            "id": f"resp_scripted_{len(conversation(body))}",
            "object": "response",
            "created_at": 0,
            "status": "incomplete" if was_cut else "completed",
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if was_cut else None,
            "model": body.get("model", ""),
            "output": list(self._items(turn, body)),
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": self._told(usage),
        }

    def frames(self, turn: Turn, usage: Tokens, body: Body) -> Iterator[bytes]:
        for number, event in enumerate(self._events(turn, usage, body)):
            numbered = event | {"sequence_number": number}
            yield f"event: {event['type']}\n".encode() + data(numbered)

    def error(self, status: int, message: str) -> dict[str, Any]:
        return openai_error(status, message)

    def _events(self, turn: Turn, usage: Tokens, body: Body) -> Iterator[dict[str, Any]]:
        whole = self.whole(turn, usage, body)
        begun = whole | {"status": "in_progress", "output": [], "usage": None}
        yield {"type": "response.created", "response": begun}
        yield {"type": "response.in_progress", "response": begun}
        for index, item in enumerate(whole["output"]):
            place = {"output_index": index, "item_id": item["id"]}
            yield {
                "type": "response.output_item.added",
                "output_index": index,
                "item": item | {"status": "in_progress"} | _EMPTY[item["type"]],
            }
            yield from _filled(item, place)
            yield {"type": "response.output_item.done", "output_index": index, "item": item}
        yield {"type": f"response.{whole['status']}", "response": whole}

    def _items(self, turn: Turn, body: Body) -> Iterator[dict[str, Any]]:
        if turn.say:
            text = {"type": "output_text", "text": turn.say, "annotations": []}
            name = f"msg_scripted_{len(conversation(body))}"
            said = {"id": name, "type": "message", "status": "completed", "role": "assistant"}
            yield {**said, "content": [text]}
        for number, use in enumerate(turn.use):
            call = tool_id(body, number, "call")
            common = {"status": "completed", "call_id": call, "name": use.tool}
            if use.text is not None:
                yield {"id": f"ctc_{call}", "type": "custom_tool_call", **common, "input": use.text}
            else:
                given = json.dumps(dict(use.input))
                yield {"id": f"fc_{call}", "type": "function_call", **common, "arguments": given}

    def _told(self, usage: Tokens) -> dict[str, Any]:
        sent = usage.input + usage.cache_read + usage.written
        details = {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.written}
        return {
            "input_tokens": sent,
            "input_tokens_details": details,
            "output_tokens": usage.output,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": sent + usage.output,
        }


_EMPTY: Final[dict[str, dict[str, Any]]] = {
    "message": {"content": []},
    "function_call": {"arguments": ""},
    "custom_tool_call": {"input": ""},
}


def _filled(item: dict[str, Any], place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The events between the beginning and the end of an output item."""
    match item["type"]:
        case "message":
            part = item["content"][0]
            at = place | {"content_index": 0}
            empty = part | {"text": ""}
            yield {"type": "response.content_part.added", **at, "part": empty}
            for piece in pieces(part["text"]):
                yield {"type": "response.output_text.delta", **at, "delta": piece}
            yield {"type": "response.output_text.done", **at, "text": part["text"]}
            yield {"type": "response.content_part.done", **at, "part": part}
        case "function_call":
            kind = "response.function_call_arguments"
            for piece in pieces(item["arguments"]):
                yield {"type": f"{kind}.delta", **place, "delta": piece}
            yield {"type": f"{kind}.done", **place, "arguments": item["arguments"]}
        case _:
            kind = "response.custom_tool_call_input"
            for piece in pieces(item["input"]):
                yield {"type": f"{kind}.delta", **place, "delta": piece}
            yield {"type": f"{kind}.done", **place, "input": item["input"]}


def tool_id(body: Body, number: int, prefix: str) -> str:
    """The id of a tool call; those of one turn differ only behind the last `_`."""
    return f"{prefix}_scripted_{len(conversation(body))}_{number}"


def without_unoffered(turn: Turn, body: Body) -> Turn:
    """A request without tools, as for a title, is answered in words only."""
    if body.get("tools") or not turn.use:
        return turn
    return Turn(say=turn.say or "Scripted work", usage=turn.usage)


def openai_error(status: int, message: str) -> dict[str, Any]:
    """An error as OpenAI words it."""
    known = {401: "invalid_request_error", 429: "rate_limit_error", 400: "invalid_request_error"}
    kind = known.get(status, "server_error")
    code = {401: "invalid_api_key", 429: "rate_limit_exceeded"}.get(status)
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def is_cut(turn: Turn, usage: Tokens) -> bool:
    return turn.usage.output > usage.output


def data(document: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(document)}\n\n".encode()


def pieces(text: str, size: int = 24) -> Iterator[str]:
    for start in range(0, len(text), size):
        yield text[start : start + size]
