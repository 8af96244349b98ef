"""Tool calls of the Agent Client Protocol in swarm's words, kept from the pieces in which agents tell them."""

import shlex
from typing import Any, Final, Literal, TypeAlias

import msgspec

from harnesses.acp_lines import Update
from harnesses.events import ToolCall, ToolCallUpdate, ToolKind
from harnesses.text import OUTPUT_LIMIT, as_json, clip, one_line, out_of_shell, relative

_KINDS: Final[dict[str, ToolKind]] = {
    "read": "read",
    "edit": "edit",
    "delete": "delete",
    "move": "move",
    "search": "search",
    "execute": "execute",
    "think": "think",
    "fetch": "fetch",
}
_DONE: Final = ("completed", "failed")


Titles: TypeAlias = Literal["tools", "subjects"]
"""What the titles of calls begin with: the tool's name, or at once what it works on, a path or a command line."""


class Call(msgspec.Struct):
    """A tool call, as far as it was told."""

    id: str
    titles: Titles = "tools"
    name: str = ""
    """The tool in the agent's own words: the first title, where that is a single word."""
    title: str = ""
    kind: ToolKind = "other"
    given: Any = None
    paths: tuple[str, ...] = ()
    shown: bool = False
    done: bool = False

    def learn(self, update: Update, workspace: str) -> None:
        """Take what an update tells; what it leaves out stays as it was."""
        if update.title:
            if self.titles == "tools":
                self.name = self.name or update.title
            self.title = update.title
        if update.kind:
            self.kind = _KINDS.get(update.kind, "other")
        if not self.shown:
            self.given = update.raw_input or self.given or self._told(update)
        named = [place.path for place in update.locations or [] if place.path]
        if named:
            self.paths = tuple(relative(path, workspace) for path in named)

    def _told(self, update: Update) -> Any:
        """What the call is to do, as far as it is told without its input."""
        if self.titles == "subjects" and self.kind == "execute" and update.title:
            return {"command": update.title}
        parts = update.content if isinstance(update.content, list) else []
        changes = [part for part in parts if isinstance(part, dict) and part.get("type") == "diff"]
        return {"changes": changes} if changes else None

    @property
    def tool(self) -> str:
        return self.name if self.name and " " not in self.name else self.kind

    @property
    def label(self) -> str:
        """One line for a person: `bash: pytest -q`."""
        what = self.title if self.title != self.tool else ", ".join(self.paths)
        return one_line(f"{self.tool}: {what}") if what else one_line(self.tool)

    @property
    def input(self) -> str:
        return "" if self.given is None else as_json(self.given)

    def event(self) -> ToolCall:
        return ToolCall(self.id, self.label, self.kind, self.input, self.paths)


def command(kind: ToolKind, given: Any) -> str:
    """The command line a call would run, as agents give it: one text, or a list of words."""
    line = given.get("command") if kind == "execute" and isinstance(given, dict) else None
    if isinstance(line, list) and all(isinstance(word, str) for word in line):
        line = shlex.join(line)
    return out_of_shell(line) if isinstance(line, str) else ""


def result(update: Update, name: str) -> ToolCallUpdate | None:
    """The end of a call, if the update tells one."""
    if update.status not in _DONE:
        return None
    status: Literal["failed", "completed"] = "failed" if _failed(update) else "completed"
    return ToolCallUpdate(name, status, clip(_output(update), OUTPUT_LIMIT))


def _failed(update: Update) -> bool:
    """Some agents call a command completed that ended with an error."""
    raw = update.raw_output if isinstance(update.raw_output, dict) else {}
    meta = raw.get("metadata")
    code = (meta if isinstance(meta, dict) else {}).get("exit", raw.get("exit_code"))
    return update.status == "failed" or (isinstance(code, int) and code != 0)


def _output(update: Update) -> str:
    parts = update.content if isinstance(update.content, list) else []
    texts = [text for part in parts if (text := words(part))]
    if not texts and isinstance(update.raw_output, dict):
        told = update.raw_output.get("output") or update.raw_output.get("error")
        texts = [told] if isinstance(told, str) else []
    return "\n".join(texts)


def words(part: Any) -> str:
    """The text of a piece of content; empty for anything else."""
    if isinstance(part, dict) and isinstance(part.get("content"), dict):
        part = part["content"]
    text = part.get("text") if isinstance(part, dict) else None
    return text if isinstance(text, str) else ""
