"""Codex over its own protocol: `codex app-server`, JSON-RPC on standard input and output."""

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field, field_validator

from harnesses import jsonrpc, relay
from harnesses.base import Brief, Capabilities, Launch, Session
from harnesses.codex_session import INITIALIZE, THREAD, TURN, CodexSession
from harnesses.errors import HarnessError
from harnesses.text import is_uuid
from harnesses.written import Written, read_form

_PREPARE: Final = """\
mkdir -p -- "$CODEX_HOME" || return
rm -f -- "$CODEX_HOME/config.toml" && cat -- "$0/config.toml" >"$CODEX_HOME/config.toml"
"""
_RESERVED: Final = ("SWARM_", "CODEX_")


class CodexSettings(Written):
    """The `settings` of an agent that runs Codex."""

    command: str = Field("codex", min_length=1)
    """The program inside the sandbox."""
    effort: Literal["", "minimal", "low", "medium", "high", "xhigh"] = ""
    """How much the model thinks; the model's own when left out."""
    instructions: str = ""
    """Told to the agent before the repository's own instructions."""
    env: dict[str, str] = Field(default_factory=dict)
    """More environment variables for the program."""

    @field_validator("env")
    @classmethod
    def _not_ours(cls, env: dict[str, str]) -> dict[str, str]:
        taken = [name for name in env if name == "HOME" or name.startswith(_RESERVED)]
        if taken:
            raise ValueError(f"{taken[0]} is set by swarm itself; leave it out")
        return env


class Codex:
    """The driver of Codex."""

    name = "codex"
    capabilities = Capabilities(
        resume=True,
        permission=True,
        steer=True,
        interrupt=True,
        stop_dialect="codex",
        dialect="responses",
        gateway_path="/openai",
    )

    def check(self, settings: Mapping[str, Any]) -> None:
        read_form(CodexSettings, settings, "settings")

    def launch(self, brief: Brief) -> Launch:
        settings = read_form(CodexSettings, brief.settings, "settings")
        files = {
            **relay.files(_opening(brief, settings), prompt=_prompt(brief), prepare=_PREPARE),
            "config.toml": _config(brief, settings).encode(),
        }
        env = {
            **settings.env,
            "HOME": f"{brief.state}/home",
            "CODEX_HOME": f"{brief.state}/codex",
            "SWARM_TOKEN": brief.key,
        }
        argv = relay.argv(brief, (settings.command, "app-server"))
        return Launch(argv=argv, env=env, files=files, interactive=True)

    def attach(self, brief: Brief) -> Launch:
        settings = read_form(CodexSettings, brief.settings, "settings")
        _check(brief.conversation)
        # Its own screen has given up asking before every command: whoever sits there sees what it does.
        asks = "on-request" if brief.ask else "never"
        command = ("resume", brief.conversation, "-s", "danger-full-access", "-a", asks)
        begun = self.launch(brief)
        files = {**begun.files, **relay.files((), prepare=_PREPARE)}
        argv = relay.on_terminal(brief, (settings.command, *command, "-C", brief.workspace))
        return Launch(argv=argv, env=begun.env, files=files, interactive=True)

    def session(self, brief: Brief) -> Session:
        return CodexSession(brief)


def _opening(brief: Brief, settings: CodexSettings) -> tuple[str, ...]:
    """Greeting and conversation; the turn itself begins once the conversation has a name."""
    client = {"name": "swarm", "title": "swarm", "version": "1"}
    greeting = {"clientInfo": client, "capabilities": {"experimentalApi": True}}
    thread: dict[str, Any] = {
        "cwd": brief.workspace,
        # The container is the sandbox: Codex's own cannot work inside a hardened one.
        "sandbox": "danger-full-access",
        "approvalPolicy": "untrusted" if brief.ask else "never",
    }
    if brief.model:
        thread["model"] = brief.model
    told = "\n\n".join(text for text in (settings.instructions, brief.instructions) if text)
    if told:
        thread["developerInstructions"] = told
    method = "thread/start"
    if brief.conversation:
        _check(brief.conversation)
        method = "thread/resume"
        thread |= {"threadId": brief.conversation, "excludeTurns": True}
    return (
        jsonrpc.request(INITIALIZE, "initialize", greeting),
        jsonrpc.notice("initialized"),
        jsonrpc.request(THREAD, method, thread),
    )


def _prompt(brief: Brief) -> str:
    said = [{"type": "text", "text": brief.prompt}]
    params = {"threadId": relay.CONVERSATION, "input": said}
    return jsonrpc.request(TURN, "turn/start", params)


def _check(conversation: str) -> None:
    if not is_uuid(conversation):
        raise HarnessError(
            f"{conversation[:60]!r} is not a conversation of Codex",
            hint="Start a fresh run with `swarm retry`.",
        )


def _config(brief: Brief, settings: CodexSettings) -> str:
    """The configuration, whole."""
    lines = [
        *([f"model = {_toml(brief.model)}"] if brief.model else []),
        *([f'model_reasoning_effort = "{settings.effort}"'] if settings.effort else []),
        'model_provider = "swarm"',
        "check_for_update_on_startup = false",
        # The repository's instructions come from us, out of the base commit.
        "project_doc_max_bytes = 0",
        'web_search = "disabled"',
        "[features]",
        "plugins = false",
        "apps = false",
        "remote_plugin = false",
        "[analytics]",
        "enabled = false",
        "[shell_environment_policy]",
        'exclude = ["SWARM_*"]',
        # Files of the repository must not send model calls elsewhere, run hooks or start servers.
        f"[projects.{_toml(brief.workspace)}]",
        'trust_level = "untrusted"',
        "[model_providers.swarm]",
        'name = "swarm gateway"',
        f"base_url = {_toml(brief.gateway.rstrip('/') + '/openai/v1')}",
        'env_key = "SWARM_TOKEN"',
        'wire_api = "responses"',
        # Every repeated call holds money once more: one more try, then the run tells what is wrong.
        "request_max_retries = 1",
        "stream_max_retries = 1",
    ]
    return "\n".join(lines) + "\n"


def _toml(text: str) -> str:
    """The text as TOML writes it, which is as JSON does."""
    return json.dumps(text, ensure_ascii=False)
