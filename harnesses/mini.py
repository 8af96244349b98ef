"""mini-swe-agent, run by a small program of ours that tells its turn in swarm's own events."""

import uuid
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final

import msgspec
from pydantic import Field

from harnesses.base import Brief, Capabilities, Launch, Session
from harnesses.errors import HarnessError
from harnesses.own_session import OwnSession
from harnesses.text import is_uuid
from harnesses.written import Written, read_form

_RUNNER: Final = "mini_agent.py"
_SHARED: Final = "scripted_agent.py"
"""What the runner takes its ears and its voice from."""
_NAMESPACE: Final = uuid.UUID("b1f2c7de-8c51-5d52-a0e6-3c0f5f5f2a41")


class MiniSettings(Written):
    """The `settings` of an agent that runs mini-swe-agent."""

    python: str = Field("python3", min_length=1)
    """The Python inside the sandbox that has mini-swe-agent."""
    provider: str = Field("openai", pattern=r"^[a-z0-9_]+$")
    """How its library is to speak to the model; `openai` is Chat Completions."""
    max_turns: Annotated[int, Field(ge=1)] | None = None
    """Model calls of one turn, at most."""
    command_seconds: int = Field(600, ge=1)
    """How long one command may take."""
    instructions: str = ""
    """Told to the agent before the repository's own instructions."""


class Mini:
    """The driver of mini-swe-agent."""

    name = "mini"
    capabilities = Capabilities(
        resume=True,
        permission=True,
        steer=True,
        interrupt=True,
        stop_dialect="openai",
        dialect="chat",
        gateway_path="/openai",
    )

    def check(self, settings: Mapping[str, Any]) -> None:
        read_form(MiniSettings, settings, "settings")

    def launch(self, brief: Brief) -> Launch:
        settings = read_form(MiniSettings, brief.settings, "settings")
        told = [text for text in (settings.instructions, brief.instructions) if text]
        job = {
            "turn": brief.turn,
            "prompt": brief.prompt,
            "instructions": "\n\n".join(told),
            "model": f"{settings.provider}/{brief.model}",
            "base": f"{brief.gateway.rstrip('/')}/openai/v1",
            "workspace": brief.workspace,
            "kept": f"{brief.state}/mini/{_conversation(brief)}.json",
            "conversation": _conversation(brief),
            "resume": bool(brief.conversation),
            "ask": brief.ask,
            "max_turns": settings.max_turns or 0,
            "command_seconds": settings.command_seconds,
        }
        return Launch(
            argv=(settings.python, f"{brief.launch}/{_RUNNER}", f"{brief.launch}/job.json"),
            env={"HOME": f"{brief.state}/home", "SWARM_TOKEN": brief.key, **_QUIET},
            files={
                _RUNNER: _program(_RUNNER),
                _SHARED: _program(_SHARED),
                "job.json": msgspec.json.encode(job),
            },
            interactive=True,
        )

    def session(self, brief: Brief) -> Session:
        return OwnSession("mini-swe-agent")


_QUIET: Final[Mapping[str, str]] = {
    "MSWEA_CONFIGURED": "true",
    "MSWEA_SILENT_STARTUP": "1",
    "MSWEA_COST_TRACKING": "ignore_errors",
    # Every repeated call holds money once more: one more try, then the run tells what is wrong.
    "MSWEA_MODEL_RETRY_STOP_AFTER_ATTEMPT": "2",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    # Otherwise a file `.env` is looked for.
    "LITELLM_MODE": "PRODUCTION",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def _conversation(brief: Brief) -> str:
    name = brief.conversation or str(uuid.uuid5(_NAMESPACE, f"{brief.run}/{brief.turn}"))
    if not is_uuid(name):
        raise HarnessError(
            f"{name[:60]!r} is not a conversation of mini-swe-agent",
            hint="Start a fresh run with `swarm retry`.",
        )
    return name


@cache
def _program(name: str) -> bytes:
    return files("harnesses").joinpath(name).read_bytes()
