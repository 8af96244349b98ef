"""What the scripted model endpoint says, and when. Pure: a request's body in, a turn out.

Two ways to script it, in any dialect, both in the text that reaches the model:

- `[[usage input=1200 output=300 text="fine"]]` in the last prompt is answered with that text and exactly
  that usage. `cache_read=`, `cache_write=`, `delay=` and `fault=` work too.
- `[[plan:NAME]]` plays a plan: a list of turns. The turn is the number of tool results since the newest prompt
  that names a plan, so a killed conversation that is resumed goes on where it was. Without a marker the
  plan called `default` plays. After its last turn a plan says "Done.".

A plan file:

    plans:
      edit:
        - say: I will write the file.
          use:
            - {tool: Write, input: {file_path: /workspace/hello.py, content: "print('hello')"}}
          usage: {input: 12000, output: 300}
        - {say: Done., fault: {kind: "429", times: 1}}
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

from app.domain.base import Value

FaultKind: TypeAlias = Literal[
    "401",
    "429",
    "500",
    "503",
    "529",
    "cut_before",
    "cut_start",
    "cut",
    "end",
    "hang",
    "hang_before",
    "unfinished",
    "html",
    "giant",
]
"""An error status; a reset before the first byte, after the first event, or amid the text; a proper end amid the
text; silence amid it, or from the beginning; an end that does not say why it ended (Chat Completions and Gemini's
only); a page instead of a reply; or a line of many megabytes amid the text."""

_PLAN = re.compile(r"\[\[plan:([A-Za-z0-9_.-]+)\]\]")
_RESULT: Final = "functionResponse"
_USAGE = re.compile(r"\[\[usage\s+(.*?)\]\]", re.DOTALL)
_DIRECTIVE: Final = frozenset(
    {
        *("input", "output", "cache_read", "cache_write", "cache_write_long", "thoughts"),
        *("text", "delay", "fault"),
    }
)


class Tokens(Value, frozen=True, kw_only=True):
    """The usage a reply reports."""

    input: int = 1000
    output: int = 50
    cache_read: int = 0
    cache_write: int = 0
    cache_write_long: int = 0
    """Kept for an hour; only Anthropic's dialect tells them apart."""
    thoughts: int = 0
    """Of the output, what was thought; only Gemini's dialect tells them apart."""

    @property
    def written(self) -> int:
        """To the cache, for however long."""
        return self.cache_write + self.cache_write_long


class ToolUse(Value, frozen=True, kw_only=True):
    """A tool the scripted model wants used, in the agent's own words."""

    tool: str
    input: Mapping[str, Any] = {}
    text: str | None = None
    """Instead of `input`, for a tool of the Responses dialect that takes plain text, such as `apply_patch`."""


class Fault(Value, frozen=True, kw_only=True):
    """Something that goes wrong instead of the turn."""

    kind: FaultKind
    times: int = 0
    """How often before the turn is played after all; 0 for always."""
    retry_after: int | None = None
    """Seconds an error status asks to wait."""


class Turn(Value, frozen=True, kw_only=True):
    """One reply of the model."""

    say: str = ""
    use: tuple[ToolUse, ...] = ()
    usage: Tokens = Tokens()
    delay: float = 0.0
    """Seconds before the reply begins."""
    fault: Fault | None = None


class Script(Value, frozen=True, kw_only=True):
    """All plans by name."""

    plans: Mapping[str, tuple[Turn, ...]] = {}


class Cue(msgspec.Struct, frozen=True):
    """The turn to play, and its name, by which its faults are counted."""

    name: str
    turn: Turn


DONE: Final = Turn(say="Done.")


def cue(script: Script, body: Mapping[str, Any]) -> Cue:
    """Which turn answers this request, in whichever dialect it is."""
    messages = conversation(body)
    prompts = [(i, text) for i, m in enumerate(messages) if (text := _prompt(m))]
    if prompts and (found := _USAGE.search(prompts[-1][1])):
        return Cue(f"usage {found.group(1)}", _directed(found.group(1)))
    start, name = next(
        ((i, plan[-1]) for i, text in reversed(prompts) if (plan := _PLAN.findall(text))),
        (prompts[-1][0] if prompts else 0, "default"),
    )
    turns = script.plans.get(name, ())
    played = len({which for i, m in enumerate(messages[start:]) if (which := _answered(i, m))})
    turn = turns[played] if played < len(turns) else DONE
    return Cue(f"{name} {played}", turn)


def conversation(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What was said so far: the messages, the items of the Responses dialect, or the contents of Gemini's."""
    said = body.get("messages", body.get("input", body.get("contents", ())))
    if isinstance(said, str):
        return [{"role": "user", "content": said}]
    return [m for m in said if isinstance(m, dict)] if isinstance(said, list) else []


def _blocks(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    content = message.get("content", message.get("parts"))
    if isinstance(content, str):
        yield {"type": "text", "text": content}
    elif isinstance(content, list):
        yield from (block for block in content if isinstance(block, dict))


def _answered(index: int, message: Mapping[str, Any]) -> str:
    """A name of the turn whose tools it brings results of; empty for anything else.

    In Messages and Gemini's all results of a turn are in one message, to which agents add reminders of their own.
    Elsewhere each is a message of its own; their ids, which `rehearsal_voices` gives, say which belong together.
    """
    if any(block.get("type") == "tool_result" or _RESULT in block for block in _blocks(message)):
        return f"message {index}"
    if message.get("role") == "tool":
        return _stem(message.get("tool_call_id"))
    if message.get("type") in ("function_call_output", "custom_tool_call_output"):
        return _stem(message.get("call_id"))
    return ""


def _stem(call: object) -> str:
    return str(call).rpartition("_")[0] or str(call)


def _prompt(message: Mapping[str, Any]) -> str:
    """The text of a prompt; empty for anything else."""
    if message.get("role") != "user" or _answered(0, message):
        return ""
    return "\n".join(str(block.get("text", "")) for block in _blocks(message))


def _directed(words: str) -> Turn:
    """The turn a `[[usage …]]` directive describes. Raises `ValueError` that says what is wrong with it."""
    pairs = dict(word.partition("=")[::2] for word in shlex.split(words))
    if unknown := pairs.keys() - _DIRECTIVE:
        raise ValueError(f"[[usage]]: unknown {', '.join(sorted(unknown))}")
    tokens = {k: int(v) for k, v in pairs.items() if k in Tokens.__struct_fields__}
    turn = {
        "say": pairs.get("text", "Done."),
        "usage": tokens,
        "delay": float(pairs.get("delay", 0)),
        "fault": {"kind": pairs["fault"]} if "fault" in pairs else None,
    }
    try:
        return msgspec.convert(turn, Turn)
    except msgspec.ValidationError as error:
        raise ValueError(f"[[usage]]: {error}") from error
