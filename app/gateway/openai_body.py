"""What an OpenAI request asks for, in either dialect: whether it may be sent, and the most it can cost.

What runs at the provider, what the provider would fetch or remember, and what has no list price is not sent: no
network rule of the sandbox would see it, or nobody could bound it.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.gateway.dialects import Objection
from app.gateway.objects import TooManyParts, objects, shown
from app.gateway.reservation import Bounds

IMAGE_TOKENS: Final = 12_000
"""More than today's models count for an image, which they shrink first."""
_TOOL_TOKENS: Final = 1_024
UNTOLD: Final = 128_000
"""Output tokens of a request that names no limit: no model writes more in one answer."""
_OPAQUE: Final = frozenset({"parameters", "schema", "metadata", "client_metadata"})
"""Values that are the agent's own data, never instructions to the provider."""
_LOCAL_TOOLS: Final = frozenset(
    {
        "function",
        "custom",
        "local_shell",
        "apply_patch",
        "computer",
        "computer_use_preview",
        "tool_search",
        "namespace",
    }
)
"""Tools that the agent itself carries out."""
_STANDARD: Final[dict[str, tuple[object, ...]]] = {
    "service_tier": (None, "auto", "default", "standard"),
    "background": (None, False),
    "conversation": (None,),
    "previous_response_id": (None,),
    "prompt": (None,),
    "n": (None, 1),
    "best_of": (None, 1),
    "audio": (None,),
    "modalities": (None, ["text"]),
    "prediction": (None,),
    "web_search_options": (None,),
    "plugins": (None, []),
    "models": (None, []),
    "provider": (None, {}),
}
"""Fields with the only values that the request itself bounds, that cost the list price and reach nothing else."""


def examine(
    body: dict[str, Any], size: int, bytes_per_token: int, limits: tuple[str, ...]
) -> Bounds | Objection:
    """The bounds of a request whose output is limited by those fields, or why it is not sent."""
    if reason := _unusual(body):
        return Objection(status=403, why=reason)
    output = _output(body, limits)
    if isinstance(output, Objection):
        return output
    try:
        found = _Found()
        for node in objects(body, _OPAQUE):
            if reason := found.look(node):
                return Objection(status=403, why=reason)
    except TooManyParts as error:
        return error.objection
    text = size - found.packed
    images = found.images * IMAGE_TOKENS
    tools = _TOOL_TOKENS if found.tools else 0
    return Bounds(
        input=-(-text // bytes_per_token) + images + found.documents + tools,
        output=output,
        # Some models put what is sent into a cache unasked and charge for it.
        cache="short",
        passes=2 if body.get("context_management") else 1,
    )


def _unusual(body: dict[str, Any]) -> str:
    for name, standard in _STANDARD.items():
        value = body.get(name)
        if not any(value == ok and type(value) is type(ok) for ok in standard):
            return f"{name}: not let through by swarm's gateway: it reaches out, or nobody can bound its cost"
    model = body["model"]
    if model.endswith(":online"):
        return f"model: {shown(model)} searches the web at the provider; swarm's gateway does not allow it"
    return ""


def _output(body: dict[str, Any], limits: tuple[str, ...]) -> int | Objection:
    told = [body[name] for name in limits if body.get(name) is not None]
    for number in told:
        if type(number) is not int or number < 1:
            why = f"{' or '.join(limits)}: a whole number of 1 or more is required"
            return Objection(status=400, why=why)
    return max(told, default=UNTOLD)


class _Found:
    """What a walk through a body has seen so far."""

    def __init__(self) -> None:
        self.images = 0
        self.packed = 0
        """Bytes of the body that are packed data, not text."""
        self.documents = 0
        self.tools = False

    def look(self, node: dict[str, Any]) -> str:
        """Take an object in; says why it must not be sent."""
        return self._tools(node) or self._content(node)

    def _tools(self, node: dict[str, Any]) -> str:
        tools = node.get("tools")
        if tools is None:
            return ""
        if not isinstance(tools, list):
            return "tools: a list is required"
        self.tools = True
        return next((reason for tool in tools if (reason := _outside(tool))), "")

    def _content(self, node: dict[str, Any]) -> str:
        kind = node.get("type")
        if kind == "item_reference":
            return "item_reference: the provider would add what it remembers; send the item itself"
        if kind in ("input_audio", "audio"):
            return f"{kind}: swarm's gateway knows no price for sound"
        for name in ("file_id", "file_url"):
            if node.get(name) is not None:
                return _fetched(name)
        if (image := node.get("image_url")) is not None:
            address = image.get("url") if isinstance(image, Mapping) else image
            if not isinstance(address, str) or not address.startswith("data:"):
                return _fetched("image_url")
            self.images += 1
            self.packed += len(address)
        if isinstance(data := node.get("file_data"), str):
            # Packed documents can hold a token in every byte.
            self.packed += len(data)
            self.documents += len(data)
        return ""


def _outside(tool: object) -> str:
    """Why a tool must not be offered; empty when the agent itself carries it out."""
    kind = tool.get("type") if isinstance(tool, dict) else tool
    if isinstance(tool, dict) and kind == "shell":
        place = tool.get("environment")
        if isinstance(place, dict) and place.get("type") == "local":
            return ""
    if isinstance(kind, str) and kind in _LOCAL_TOOLS:
        return ""
    return (
        f"tools: {shown(kind)} runs at the provider, outside the sandbox; swarm's gateway does not allow it. "
        "Switch it off in the agent's settings"
    )


def _fetched(name: str) -> str:
    return f"{name}: only content inside the request; the provider would fetch this from elsewhere"
