"""Claude Code over its own stream-JSON protocol: `claude -p --input-format stream-json`."""

import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import Field, field_validator

from harnesses import relay
from harnesses.base import Brief, Capabilities, Launch, Session
from harnesses.claude_session import ClaudeSession
from harnesses.errors import HarnessError
from harnesses.text import is_uuid
from harnesses.written import Written, read_form

_NAMESPACE: Final = uuid.UUID("6f1c7a52-3f0e-5c0b-9a51-5d3a4f6b7c10")

_PREPARE: Final = 'mkdir -p -- "$CLAUDE_CONFIG_DIR" || return\n'
_AT_HOME: Final = (
    _PREPARE
    + """\
python3 -I - "$CLAUDE_CONFIG_DIR/.claude.json" <<'END' || return
import json, pathlib, sys
place = pathlib.Path(sys.argv[1])
known = json.loads(place.read_text()) if place.exists() else {}
known |= {"hasCompletedOnboarding": True, "bypassPermissionsModeAccepted": True}
projects = known.setdefault("projects", {})
projects.setdefault(str(pathlib.Path.cwd()), {})["hasTrustDialogAccepted"] = True
place.write_text(json.dumps(known))
END
"""
)
"""On its own screen it would first ask for colours, and whether to trust the directory."""
_KEY: Final = "ANTHROPIC_AUTH_TOKEN"
"""Hidden from shells by us: the program's own switch for it needs bubblewrap, which cannot work inside a
hardened container."""

_ENV: Final[Mapping[str, str]] = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    # Every repeated call holds money once more: a few tries, then the run tells what is wrong.
    "CLAUDE_CODE_MAX_RETRIES": "2",
    "API_TIMEOUT_MS": "120000",
    # Files of the repository must not send model calls elsewhere.
    "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST": "1",
    # The attribution block differs from request to request, which defeats prompt caches.
    "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",
}
_STREAMS: Final = (
    *("-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"),
    "--include-partial-messages",
    # What a person says into the turn comes back the moment it is taken in.
    "--replay-user-messages",
)
_ASKS: Final = ("--permission-prompt-tool", "stdio")
_RESERVED: Final = ("ANTHROPIC_", "CLAUDE_CODE_SIMPLE", "BASH_ENV")


class ClaudeSettings(Written):
    """The `settings` of an agent that runs Claude Code."""

    command: str = Field("claude", min_length=1)
    """The program inside the sandbox."""
    small_model: str = ""
    """Model for side tasks; the agent's own when left out."""
    effort: Literal["", "low", "medium", "high", "xhigh", "max"] = ""
    max_turns: Annotated[int, Field(ge=1)] | None = None
    """Model calls of one turn, at most."""
    allowed_tools: tuple[str, ...] = ()
    """Tools, or rules such as `Bash(git *)`, that need no permission."""
    disallowed_tools: tuple[str, ...] = ()
    """Tools, or rules, that are never used."""
    instructions: str = ""
    """Added to the system prompt, before the repository's own instructions."""
    env: dict[str, str] = Field(default_factory=dict)
    """More environment variables for the program."""

    @field_validator("env")
    @classmethod
    def _not_ours(cls, env: dict[str, str]) -> dict[str, str]:
        taken = [name for name in env if name in _ENV or name.startswith(_RESERVED)]
        taken += [name for name in env if name in ("HOME", "CLAUDE_CONFIG_DIR", "IS_SANDBOX")]
        if taken:
            raise ValueError(f"{taken[0]} is set by swarm itself; leave it out")
        return env


class ClaudeCode:
    """The driver of Claude Code."""

    name = "claude-code"
    capabilities = Capabilities(
        resume=True,
        permission=True,
        steer=True,
        interrupt=True,
        stop_dialect="anthropic",
        gateway_path="/anthropic",
    )

    def check(self, settings: Mapping[str, Any]) -> None:
        read_form(ClaudeSettings, settings, "settings")

    def launch(self, brief: Brief) -> Launch:
        settings = read_form(ClaudeSettings, brief.settings, "settings")
        told, flags = _told(brief, settings)
        files = {**relay.files((_prompt(brief),), prepare=_PREPARE, hide=_KEY), **told}
        more: tuple[str, ...] = _ASKS if brief.ask else ()
        if settings.max_turns:
            more += (f"--max-turns={settings.max_turns}",)
        command = (settings.command, *_STREAMS, *_flags(brief, settings), *more, *flags)
        argv = relay.argv(brief, command)
        return Launch(argv=argv, env=_env(brief, settings), files=files, interactive=True)

    def attach(self, brief: Brief) -> Launch:
        settings = read_form(ClaudeSettings, brief.settings, "settings")
        told, flags = _told(brief, settings)
        files = {**relay.files((), prepare=_AT_HOME, hide=_KEY), **told}
        argv = relay.on_terminal(brief, (settings.command, *_flags(brief, settings), *flags))
        return Launch(argv=argv, env=_env(brief, settings), files=files, interactive=True)

    def session(self, brief: Brief) -> Session:
        return ClaudeSession(brief)


def _prompt(brief: Brief) -> str:
    message = {"role": "user", "content": brief.prompt}
    return msgspec.json.encode({"type": "user", "message": message}).decode()


def _told(brief: Brief, settings: ClaudeSettings) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """What stands in the system prompt besides its own, as a file and the flags that name it."""
    told = "\n\n".join(text for text in (settings.instructions, brief.instructions) if text)
    if not told:
        return {}, ()
    flags = ("--append-system-prompt-file", f"{brief.launch}/instructions.md")
    return {"instructions.md": told.encode()}, flags


def _flags(brief: Brief, settings: ClaudeSettings) -> tuple[str, ...]:
    """What holds for both of its faces."""
    # Settings, hooks and servers that lie in the repository are not read: its author is not the user.
    flags = ["--strict-mcp-config", "--setting-sources", "user", _conversation(brief)]
    if not brief.ask:
        flags += ["--permission-mode", "bypassPermissions"]
    if brief.model:
        flags.append(f"--model={brief.model}")
    if settings.effort:
        flags.append(f"--effort={settings.effort}")
    if settings.allowed_tools:
        flags.append(f"--allowedTools={','.join(settings.allowed_tools)}")
    if settings.disallowed_tools:
        flags.append(f"--disallowedTools={','.join(settings.disallowed_tools)}")
    return tuple(flags)


def _conversation(brief: Brief) -> str:
    if not brief.conversation:
        return f"--session-id={uuid.uuid5(_NAMESPACE, f'{brief.run}/{brief.turn}')}"
    if not is_uuid(brief.conversation):
        raise HarnessError(
            f"{brief.conversation[:60]!r} is not a conversation of Claude Code",
            hint="Start a fresh run with `swarm retry`.",
        )
    return f"--resume={brief.conversation}"


def _env(brief: Brief, settings: ClaudeSettings) -> dict[str, str]:
    env = {
        **settings.env,
        **_ENV,
        "HOME": f"{brief.state}/home",
        "CLAUDE_CONFIG_DIR": f"{brief.state}/claude",
        "ANTHROPIC_BASE_URL": f"{brief.gateway.rstrip('/')}/anthropic",
        _KEY: brief.key,
    }
    if small := settings.small_model or brief.model:
        env["ANTHROPIC_DEFAULT_HAIKU_MODEL"] = small
    if not brief.ask:
        # As root, the program acts without questions only where it is told that a sandbox holds it.
        env["IS_SANDBOX"] = "1"
    return env
