"""The language of the scripted agent: what a script may say, and its checked form.

Described for users in docs/reference/scripts.md.
"""

import signal
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

import yaml
from pydantic import Field, field_validator, model_validator

from harnesses.errors import BadSettings
from harnesses.events import ToolKind
from harnesses.text import nearest
from harnesses.written import Written, join, read_form, unknown_key

Step: TypeAlias = dict[str, Any]
"""A checked step: its fields, and its verb under `step`."""

_DEPTH: Final = 20
_Text: TypeAlias = Annotated[str, Field(min_length=1)]


def _inside(path: str) -> str:
    if path.startswith(("/", "~")) or ".." in path.split("/") or "\0" in path:
        raise ValueError(f"{path!r} must be a relative path inside the workspace")
    return path


class Say(Written):
    text: str


class Think(Written):
    text: str


class Entry(Written):
    text: _Text
    status: Literal["pending", "in_progress", "completed"] = "pending"


class Plan(Written):
    entries: tuple[Entry, ...]

    @field_validator("entries", mode="before")
    @classmethod
    def _plain(cls, entries: Any) -> Any:
        if not isinstance(entries, list):
            return entries
        return [{"text": entry} if isinstance(entry, str) else entry for entry in entries]


class Edit(Written):
    path: _Text
    content: str | None = None
    replace: _Text | None = None
    with_: str | None = Field(None, alias="with")
    delete: bool = False

    @field_validator("path")
    @classmethod
    def _in_the_tree(cls, path: str) -> str:
        return _inside(path)

    @model_validator(mode="after")
    def _one_way(self) -> "Edit":
        ways = [self.content is not None, self.replace is not None, self.delete]
        if sum(ways) != 1:
            raise ValueError("needs exactly one of content, replace (with `with`), delete")
        if (self.replace is None) != (self.with_ is None):
            raise ValueError("replace and with belong together")
        return self


class Run(Written):
    command: _Text
    cwd: str = "."
    timeout: float = Field(600.0, gt=0)

    @field_validator("cwd")
    @classmethod
    def _in_the_tree(cls, path: str) -> str:
        return _inside(path)


class Ask(Written):
    title: _Text
    tool: ToolKind = "execute"
    name: str = "Script"
    detail: str = ""
    paths: tuple[str, ...] = ()


class Listen(Written):
    """Wait for a message that a person sends into the turn; `{{note}}` is what it says."""


class Tokens(Written):
    input: int = Field(0, ge=0, le=2_000_000)
    output: int = Field(0, ge=0, le=2_000_000)
    model: str = ""
    times: int = Field(1, ge=1, le=10_000)


class Sleep(Written):
    seconds: float = Field(ge=0)


class Fail(Written):
    error: _Text


class Crash(Written):
    code: int = Field(1, ge=0, le=255)
    signal: str = ""

    @field_validator("signal")
    @classmethod
    def _known(cls, name: str) -> str:
        known = [member.name.removeprefix("SIG") for member in signal.Signals]
        bare = name.upper().removeprefix("SIG")
        if name and bare not in known:
            meant = nearest(bare, known)
            raise ValueError(
                f"{name!r} is no signal" + (f", did you mean {meant}?" if meant else "")
            )
        return bare


class Claim(Written):
    """Tokens the agent says it used, true or not."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cost_micros: int | None = None


class Raw(Written):
    line: str
    times: int = Field(1, ge=1, le=10_000_000)
    """How often the text stands on the line."""


class Repeat(Written):
    times: int = Field(ge=0, le=100_000)


STEPS: Final[Mapping[str, type[Written]]] = {
    "say": Say,
    "think": Think,
    "plan": Plan,
    "edit": Edit,
    "run": Run,
    "ask": Ask,
    "listen": Listen,
    "tokens": Tokens,
    "sleep": Sleep,
    "fail": Fail,
    "crash": Crash,
    "usage": Claim,
    "raw": Raw,
    "repeat": Repeat,
}
_SHORT: Final[Mapping[str, str]] = {
    "say": "text",
    "think": "text",
    "plan": "entries",
    "run": "command",
    "ask": "title",
    "sleep": "seconds",
    "fail": "error",
    "crash": "code",
    "raw": "line",
}
"""The field that a plain value stands for: `say: hello` is `say: {text: hello}`."""
_INNER: Final[Mapping[str, tuple[str, ...]]] = {
    "ask": ("then", "else"),
    "repeat": ("steps",),
    "listen": ("then",),
}
"""Fields that hold steps themselves."""


def read_script(written: Any) -> tuple[tuple[Step, ...], ...]:
    """The steps of each turn. `BadSettings` names the place of what is wrong.

    Takes YAML text, a mapping with `turns`, or a list: the steps of the only turn.
    """
    if isinstance(written, str):
        written = _yaml(written)
    if isinstance(written, list):
        return (_steps(written, "steps", 0),)
    if not isinstance(written, dict):
        raise BadSettings("script: must be a list of steps, or a mapping with `turns`")
    for key in written:
        if key != "turns":
            raise BadSettings(unknown_key(join("script", str(key)), str(key), ["turns"]))
    turns = written.get("turns")
    if not isinstance(turns, list) or not turns:
        raise BadSettings("script.turns: must be a list of at least one turn")
    return tuple(_turn(turn, f"turns[{number}]") for number, turn in enumerate(turns))


def _yaml(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadSettings(f"script: is not YAML: {' '.join(str(error).split())}") from None


def _turn(turn: Any, where: str) -> tuple[Step, ...]:
    if isinstance(turn, dict):
        for key in turn:
            if key != "steps":
                raise BadSettings(unknown_key(join(where, str(key)), str(key), ["steps"]))
        turn = turn.get("steps")
    return _steps(turn, f"{where}.steps", 0)


def _steps(listed: Any, where: str, depth: int) -> tuple[Step, ...]:
    if not isinstance(listed, list):
        raise BadSettings(f"{where}: must be a list of steps")
    if depth > _DEPTH:
        raise BadSettings(f"{where}: steps are nested more than {_DEPTH} deep")
    return tuple(_step(item, f"{where}[{number}]", depth) for number, item in enumerate(listed))


def _step(item: Any, where: str, depth: int) -> Step:
    if not isinstance(item, dict) or len(item) != 1:
        raise BadSettings(f"{where}: must be one verb with its value, such as `say: hello`")
    verb, value = next(iter(item.items()))
    path = join(where, str(verb))
    if verb not in STEPS:
        raise BadSettings(unknown_key(path, str(verb), list(STEPS), what="step"))
    fields = dict(value) if isinstance(value, dict) else _unfold(verb, value, path)
    inner = {
        name: list(_steps(fields.pop(name), f"{path}.{name}", depth + 1))
        for name in _INNER.get(verb, ())
        if name in fields
    }
    form = read_form(STEPS[verb], fields, path)
    return {"step": verb, **form.model_dump(by_alias=True), **inner}


def _unfold(verb: str, value: Any, path: str) -> dict[str, Any]:
    if verb not in _SHORT or value is None:
        raise BadSettings(f"{path}: must be a mapping")
    return {_SHORT[verb]: value}
