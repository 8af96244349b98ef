"""How the scripted model endpoint says a turn in the dialect of Google's Gemini API. Pure."""

import re
from collections.abc import Iterator
from typing import Any, Final

from app.gateway.rehearsal_script import Tokens, Turn, conversation
from app.gateway.rehearsal_voices import Body, data, is_cut, pieces, tool_id, without_unoffered

_PATH: Final = re.compile(r"/v1beta/models/[^/:]+:(generateContent|streamGenerateContent)")
_STATUS: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


class GeminiVoice:
    """Gemini's generateContent."""

    def serves(self, path: str) -> bool:
        return _PATH.fullmatch(path) is not None

    def streams(self, path: str, body: Body) -> bool:
        return path.endswith(":streamGenerateContent")

    def limits(self, body: Body) -> Iterator[object]:
        yield (body.get("generationConfig") or {}).get("maxOutputTokens")

    def whole(self, turn: Turn, usage: Tokens, body: Body) -> dict[str, Any]:
        turn = without_unoffered(turn, body)
        calls = [
            {
                "functionCall": {
                    "id": tool_id(body, number, "call"),
                    "name": use.tool,
                    "args": dict(use.input),
                }
            }
            for number, use in enumerate(turn.use)
        ]
        said = [{"text": turn.say}] if turn.say else []
        finish = "MAX_TOKENS" if is_cut(turn, usage) else "STOP"
        return self._event([*said, *calls], usage, body, finish)

    def frames(self, turn: Turn, usage: Tokens, body: Body) -> Iterator[bytes]:
        whole = self.whole(turn, usage, body)
        parts = whole["candidates"][0]["content"]["parts"]
        begun = Tokens(input=usage.input, output=0, cache_read=usage.cache_read)
        for part in parts:
            texts = [{"text": piece} for piece in pieces(part["text"])] if "text" in part else []
            for one in texts or [part]:
                yield data(self._event([one], begun, body))
        yield data(self._event([], usage, body, whole["candidates"][0]["finishReason"]))

    def error(self, status: int, message: str) -> dict[str, Any]:
        told = _STATUS.get(status, "INTERNAL")
        return {"error": {"code": status, "message": message, "status": told}}

    def _event(
        self, parts: list[dict[str, Any]], usage: Tokens, body: Body, finish: str | None = None
    ) -> dict[str, Any]:
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
        if finish is not None:
            candidate["finishReason"] = finish
        return {
            "candidates": [candidate],
            "usageMetadata": self._told(usage),
            "modelVersion": "scripted",
            "responseId": f"scripted-{len(conversation(body))}",
        }

    def _told(self, usage: Tokens) -> dict[str, Any]:
        sent = usage.input + usage.cache_read + usage.written
        thoughts = min(usage.thoughts, usage.output)
        return {
            "promptTokenCount": sent,
            "cachedContentTokenCount": usage.cache_read,
            "candidatesTokenCount": usage.output - thoughts,
            "thoughtsTokenCount": thoughts,
            "totalTokenCount": sent + usage.output,
        }
