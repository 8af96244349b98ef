"""What a request to Gemini's API asks for: whether it may be sent, and the most it can cost.

Google reads every field under two names, `maxOutputTokens` and `max_output_tokens`; so does this. What runs at the
provider, what the provider would fetch or remember, and what has no list price is not sent.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.gateway.dialects import Objection
from app.gateway.objects import TooManyParts, objects, shown
from app.gateway.reservation import Bounds

_IMAGE_TOKENS: Final = 6_000
"""More than any model counts for an image, which it shrinks first."""
_TOOL_TOKENS: Final = 1_024
UNTOLD: Final = 65_536
"""Output tokens, thinking included, of a request that names no limit: no Gemini writes more in one answer."""
_CONFIG: Final = "generationConfig"
_LIMIT: Final = "maxOutputTokens"
_OPAQUE: Final = frozenset(
    {
        *("args", "response", "labels", "parameters", "parametersJsonSchema"),
        *("parameters_json_schema", "responseSchema", "response_schema"),
        *("responseJsonSchema", "response_json_schema"),
    }
)
"""Values that are the agent's own data, never instructions to the provider."""
_LOCAL_TOOLS: Final = frozenset({"functionDeclarations", "computerUse"})
"""Tools that the agent itself carries out."""
_STANDARD: Final[dict[str, tuple[object, ...]]] = {
    "cachedContent": (None, ""),
    "serviceTier": (None, "standard", "SERVICE_TIER_STANDARD"),
    "store": (None, False),
}
"""Fields of a request with the only values that cost the list price and reach nothing else."""
_STANDARD_CONFIG: Final[dict[str, tuple[object, ...]]] = {
    "candidateCount": (None, 1),
    "responseModalities": (None, [], ["TEXT"]),
    "speechConfig": (None,),
    "imageConfig": (None,),
}
_TEXTS: Final = ("text/", "application/")


def examine(body: dict[str, Any], size: int, bytes_per_token: int) -> Bounds | Objection:
    """The bounds of a request, or why it is not sent. Walks without recursion: the body is hostile."""
    found = _Found()
    try:
        for node in objects(body, _OPAQUE):
            if objection := found.look(node):
                return objection
    except TooManyParts as error:
        return error.objection
    config = _config(body)
    if isinstance(config, Objection):
        return config
    if reason := _unusual(body, _STANDARD) or _unusual(config, _STANDARD_CONFIG):
        return Objection(status=403, why=reason)
    output = config.get(spelled(config, _LIMIT))
    if output is not None and (type(output) is not int or output < 1):
        return Objection(status=400, why=f"{_LIMIT}: a whole number of 1 or more is required")
    tokens = -(-(size - found.packed) // bytes_per_token)
    tools = _TOOL_TOKENS if found.tools else 0
    return Bounds(
        input=tokens + found.images * _IMAGE_TOKENS + found.documents + tools,
        output=output or UNTOLD,
        thinking=_thinking(config),
    )


def told_limit(body: Mapping[str, Any]) -> int | None:
    """The output limit that a request names."""
    config = body.get(spelled(body, _CONFIG)) or {}
    limit: int | None = config.get(spelled(config, _LIMIT))
    return limit


def limited(body: dict[str, Any], output: int) -> dict[str, Any]:
    """The request with that output limit."""
    name = spelled(body, _CONFIG)
    config = body.get(name) or {}
    return body | {name: config | {spelled(config, _LIMIT): output}}


def spelled(node: Mapping[str, Any], name: str) -> str:
    """The name under which a field stands there; as it is, when it does not."""
    return next((each for each in node if _camel(each) == name), name)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def _config(body: dict[str, Any]) -> dict[str, Any] | Objection:
    config = body.get(spelled(body, _CONFIG))
    if config is None:
        return {}
    if not isinstance(config, dict):
        return Objection(status=400, why=f"{_CONFIG}: an object is required")
    return config


def _unusual(node: dict[str, Any], standards: Mapping[str, tuple[object, ...]]) -> str:
    for name, standard in standards.items():
        value = node.get(spelled(node, name))
        if not any(value == ok and type(value) is type(ok) for ok in standard):
            return f"{name}: not let through by swarm's gateway: it reaches out, or nobody can bound its cost"
    return ""


def _thinking(config: dict[str, Any]) -> int:
    thinking = config.get(spelled(config, "thinkingConfig"))
    if not isinstance(thinking, dict):
        return 0
    budget = thinking.get(spelled(thinking, "thinkingBudget"))
    return budget if type(budget) is int and budget > 0 else 0


class _Found:
    """What a walk through a body has seen so far."""

    def __init__(self) -> None:
        self.images = 0
        self.packed = 0
        """Bytes of the body that are packed data, not text."""
        self.documents = 0
        self.tools = False

    def look(self, node: dict[str, Any]) -> Objection | None:
        """Take an object in; objects to what must not be sent."""
        fields = {_camel(name): value for name, value in node.items()}
        if len(fields) < len(node):
            return Objection(status=400, why="a field is named twice, once as `twoWords`")
        reason = self._tools(fields.get("tools")) or self._data(fields.get("inlineData"))
        if fields.get("fileData") is not None:
            reason = "fileData: only content inside the request; the provider would fetch this from elsewhere"
        return Objection(status=403, why=reason) if reason else None

    def _tools(self, tools: object) -> str:
        if tools is None:
            return ""
        if not isinstance(tools, list):
            return "tools: a list is required"
        self.tools = True
        return next((reason for tool in tools if (reason := _outside(tool))), "")

    def _data(self, data: object) -> str:
        if data is None:
            return ""
        kind = data.get(spelled(data, "mimeType")) if isinstance(data, dict) else None
        packed = data.get("data") if isinstance(data, dict) else None
        if not isinstance(kind, str) or not isinstance(packed, str):
            return "inlineData: a type and its data are required"
        self.packed += len(packed)
        if kind.startswith("image/"):
            self.images += 1
        elif kind.startswith(_TEXTS):
            # Packed documents can hold a token in every byte.
            self.documents += len(packed)
        else:
            return f"inlineData: swarm's gateway knows no price for {shown(kind)}"
        return ""


def _outside(tool: object) -> str:
    """Why a tool must not be offered; empty when the agent itself carries it out."""
    outside: object = tool
    if isinstance(tool, dict):
        outside = next((kind for name in tool if (kind := _camel(name)) not in _LOCAL_TOOLS), None)
        if outside is None:
            return ""
    return (
        f"tools: {shown(outside)} runs at the provider, outside the sandbox; swarm's gateway does not allow it. "
        "Switch it off in the agent's settings"
    )
