"""The Agent Client Protocol: any agent that speaks it on standard input and output. Which one, is data."""

import re
from collections.abc import Mapping
from string import Template
from typing import Any, Final, TypeAlias

import msgspec
from pydantic import Field, field_validator

from harnesses import jsonrpc, relay
from harnesses.acp_session import INITIALIZE, PROMPT, RPC, VERSION, AcpSession, is_conversation
from harnesses.acp_tools import Titles
from harnesses.base import Brief, Capabilities, Launch, Session
from harnesses.errors import BadSettings, HarnessError
from harnesses.written import Written, read_form

Content: TypeAlias = str | dict[str, Any]
_OWN: Final = ("HOME", "SWARM_TOKEN", "BASH_ENV")
_RELAYED: Final = ("relay.sh", "prepare.sh", "shell.sh", "opening.jsonl", "prompt.json")
_KEY_NAME: Final = "SWARM_TOKEN"
_IN_HOME: Final = re.compile(r"(\.?[A-Za-z0-9_][A-Za-z0-9_.-]*/)*\.?[A-Za-z0-9_][A-Za-z0-9_.-]*")


class Mode(Written):
    """What is different for an agent that asks, or for one that acts freely in its sandbox."""

    args: tuple[str, ...] = ()
    env: dict[str, Content] = Field(default_factory=dict)


class AcpSettings(Written):
    """The `settings` of an agent that speaks the protocol.

    Texts may name `$model`, `$gateway`, `$workspace`, `$state`, `$launch`, and, in `env`, `$key`; `$$` is a
    dollar. A mapping in place of a text is handed over as JSON.
    """

    command: tuple[str, ...] = Field(min_length=1)
    """The program inside the sandbox, with its arguments."""
    screen: tuple[str, ...] = ()
    """The program that opens `$conversation` on a terminal; none: it has no screen of its own."""
    env: dict[str, Content] = Field(default_factory=dict)
    """Environment variables: where the gateway is, the run's key, and what keeps the program to itself."""
    files: dict[str, Content] = Field(default_factory=dict)
    """Files to lay down in `$launch`, which the agent can read only."""
    home: dict[str, Content] = Field(default_factory=dict)
    """Files to lay down anew below the agent's home before every turn: a path, and what stands there."""
    prepare: str = ""
    """Lines of bash, as they are, that run in the sandbox before the program starts."""
    meta: dict[str, Any] = Field(default_factory=dict)
    """Sent as `_meta` with the opening of a conversation, for what an agent takes nowhere else."""
    titles: Titles = "tools"
    """What titles of tool calls begin with: the `tools`' names, or their `subjects`, a path or a command line."""
    asking: Mode = Mode()
    """For a task whose questions are asked."""
    acting: Mode = Mode()
    """For a task whose agent acts without questions."""
    instructions: str = ""
    """Told to the agent before the repository's own instructions."""

    @field_validator("env")
    @classmethod
    def _not_ours(cls, env: dict[str, Content]) -> dict[str, Content]:
        taken = [name for name in env if name in _OWN]
        if taken:
            raise ValueError(f"{taken[0]} is set by swarm itself; leave it out")
        return env

    @field_validator("files")
    @classmethod
    def _plain(cls, files: dict[str, Content]) -> dict[str, Content]:
        for name in files:
            taken = name in _RELAYED or name.startswith("home-")
            if "/" in name or name.startswith(".") or taken:
                raise ValueError(f"{name!r} cannot be the name of a file there")
        return files

    @field_validator("home")
    @classmethod
    def _below_home(cls, home: dict[str, Content]) -> dict[str, Content]:
        for path in home:
            if not _IN_HOME.fullmatch(path):
                raise ValueError(f"{path!r} cannot be a path below the agent's home")
        return home


class Acp:
    """The driver of every agent that speaks the protocol."""

    name = "acp"
    capabilities = Capabilities(
        resume=True,
        permission=True,
        interrupt=True,
        stop_dialect="openai",
        dialect="chat",
        gateway_path="/openai",
    )

    def check(self, settings: Mapping[str, Any]) -> None:
        form = read_form(AcpSettings, settings, "settings")
        nowhere = Brief(run="", turn=1, prompt="", model="", settings=settings)
        for ask in (True, False):
            _filled(form, msgspec.structs.replace(nowhere, ask=ask))

    def launch(self, brief: Brief) -> Launch:
        settings = read_form(AcpSettings, brief.settings, "settings")
        if brief.conversation and not is_conversation(brief.conversation):
            raise HarnessError(
                f"{brief.conversation[:60]!r} is not a conversation of this agent",
                hint="Start a fresh run with `swarm retry`.",
            )
        filled = _filled(settings, brief)
        env = _keyed(filled.env, brief)
        hidden = [name for name, value in env.items() if brief.key and brief.key in value]
        relayed = relay.files(
            (_greeting(),),
            prompt=_prompt(brief, settings),
            prepare=_lay_home(tuple(settings.home)) + settings.prepare,
            hide=" ".join(hidden) or _KEY_NAME,
        )
        return Launch(
            argv=relay.argv(brief, filled.argv),
            env={**env, "HOME": f"{brief.state}/home"},
            files={**filled.files, **relayed},
            interactive=True,
        )

    def attach(self, brief: Brief) -> Launch:
        settings = read_form(AcpSettings, brief.settings, "settings")
        if not settings.screen:
            raise HarnessError(
                "this agent has no screen of its own",
                hint="Open a shell in its sandbox: `swarm attach ID --shell`; or set `settings.screen`.",
            )
        begun = self.launch(brief)
        where = {**_places(brief), "conversation": brief.conversation}
        argv = tuple(_text(word, where, "settings.screen") for word in settings.screen)
        return msgspec.structs.replace(begun, argv=relay.on_terminal(brief, argv))

    def session(self, brief: Brief) -> Session:
        settings = read_form(AcpSettings, brief.settings, "settings")
        meta = _deep(settings.meta, _places(brief), "settings.meta")
        return AcpSession(brief, meta, settings.titles)


class _Filled(msgspec.Struct, frozen=True):
    """Settings with their placeholders filled in."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    files: Mapping[str, bytes]


def _filled(settings: AcpSettings, brief: Brief) -> _Filled:
    mode, where = (settings.asking, "asking") if brief.ask else (settings.acting, "acting")
    places = _places(brief)
    secret = {**places, "key": brief.key}
    argv = [_text(word, places, "settings.command") for word in settings.command]
    argv += [_text(word, places, f"settings.{where}.args") for word in mode.args]
    env = {name: _text(each, secret, f"settings.env.{name}") for name, each in settings.env.items()}
    more = {
        name: _text(each, secret, f"settings.{where}.env.{name}") for name, each in mode.env.items()
    }
    files = {
        name: _text(each, places, f"settings.files.{name}").encode()
        for name, each in settings.files.items()
    }
    for number, (path, each) in enumerate(settings.home.items()):
        files[f"home-{number}"] = _text(each, places, f"settings.home.{path}").encode()
    for word in settings.screen:
        _text(word, {**places, "conversation": ""}, "settings.screen")
    _deep(settings.meta, places, "settings.meta")
    return _Filled(tuple(argv), {**env, **more}, files)


def _places(brief: Brief) -> dict[str, str]:
    """What a text of the settings may name, but for the key."""
    return {
        "model": brief.model,
        "gateway": brief.gateway.rstrip("/"),
        "workspace": brief.workspace,
        "state": brief.state,
        "launch": brief.launch,
    }


def _keyed(env: Mapping[str, str], brief: Brief) -> dict[str, str]:
    """With the run's key in a variable of ours, unless the settings put it where the program looks for it."""
    if brief.key and any(brief.key in value for value in env.values()):
        return dict(env)
    return {**env, _KEY_NAME: brief.key}


def _lay_home(paths: tuple[str, ...]) -> str:
    """A shell script that writes the files of the agent's home. What stood there is replaced, not followed."""
    lines = []
    for number, path in enumerate(paths):
        above = path.rpartition("/")[0]
        lines.append(f'mkdir -p -- "$HOME/{above}" && rm -rf -- "$HOME/{path}" || return')
        lines.append(f'cat -- "$0/home-{number}" >"$HOME/{path}" || return')
    return "".join(line + "\n" for line in lines)


def _text(content: Content, values: Mapping[str, str], where: str) -> str:
    """The text with its placeholders filled in; a mapping as JSON. `BadSettings` names an unknown one."""
    if not isinstance(content, str):
        return msgspec.json.encode(_deep(content, values, where)).decode()
    try:
        return Template(content).substitute(values)
    except KeyError as error:
        known = ", ".join(f"${name}" for name in values)
        raise BadSettings(f"{where}: ${error.args[0]} is unknown here, there are {known}") from None
    except ValueError:
        raise BadSettings(f"{where}: a dollar is written `$$`") from None


def _deep(content: Any, values: Mapping[str, str], where: str) -> Any:
    match content:
        case str():
            return _text(content, values, where)
        case dict():
            return {
                _text(str(key), values, where): _deep(value, values, f"{where}.{key}")
                for key, value in content.items()
            }
        case list():
            return [_deep(value, values, where) for value in content]
        case _:
            return content


def _greeting() -> str:
    """We serve neither files nor terminals: the agent has its own, in its sandbox."""
    nothing = {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False}
    params = {
        "protocolVersion": VERSION,
        "clientCapabilities": nothing,
        "clientInfo": {"name": "swarm", "version": "1"},
    }
    return jsonrpc.request(INITIALIZE, "initialize", params, **RPC)


def _prompt(brief: Brief, settings: AcpSettings) -> str:
    """The prompt; before the first one of a conversation, what the repository says to agents."""
    texts = [brief.prompt]
    told = [text for text in (settings.instructions, brief.instructions) if text]
    if told and not brief.conversation:
        texts.insert(0, "Instructions for work in this repository:\n\n" + "\n\n".join(told))
    blocks = [{"type": "text", "text": text} for text in texts]
    params = {"sessionId": relay.CONVERSATION, "prompt": blocks}
    return jsonrpc.request(PROMPT, "session/prompt", params, **RPC)
