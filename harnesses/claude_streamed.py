"""What was already said in pieces, so that the whole message, which follows them, is not said again."""

from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["text", "thinking"]


class Streamed:
    """Per speaker (the main agent, or a sub-agent by its call) the message that is being streamed."""

    def __init__(self) -> None:
        self._message: dict[str, str] = {}
        self._said: dict[tuple[str, Kind], str] = {}

    def start(self, parent: str, message: str) -> None:
        """A new message begins; pieces of one that broke off are forgotten."""
        self._message[parent] = message
        self._said.pop((parent, "text"), None)
        self._said.pop((parent, "thinking"), None)

    def add(self, parent: str, kind: Kind, text: str) -> str:
        """Note a piece; the id of the message it belongs to."""
        self._said[parent, kind] = self._said.get((parent, kind), "") + text
        return self._message.get(parent, "")

    def rest(self, parent: str, message: str, kind: Kind, whole: str) -> str:
        """What of a finished block was not said yet."""
        if self._message.get(parent) != message:
            return whole
        said = self._said.pop((parent, kind), "")
        # A block that does not begin with its pieces is another one: repeating beats losing.
        return whole.removeprefix(said)
