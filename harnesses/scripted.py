"""The scripted agent: replays a script that the user wrote. For tests, demos and bug reports; needs no model."""

import uuid
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from harnesses.base import Brief, Capabilities, Launch, Session
from harnesses.errors import BadSettings, HarnessError
from harnesses.own_session import OwnSession
from harnesses.script import read_script
from harnesses.text import is_uuid
from harnesses.written import unknown_key

PROGRAM: Final = "scripted_agent.py"
_NAMESPACE: Final = uuid.UUID("0d6e9c1e-54ab-5c55-8f25-0c6f4f0c9b7e")


class Scripted:
    """The driver of the scripted agent."""

    name = "scripted"
    capabilities = Capabilities(
        resume=True,
        permission=True,
        steer=True,
        interrupt=True,
        scripted=True,
        stop_dialect="anthropic",
        gateway_path="/anthropic",
    )

    def check(self, settings: Mapping[str, Any]) -> None:
        _script(settings)

    def launch(self, brief: Brief) -> Launch:
        turns = _script(brief.settings)
        conversation = brief.conversation or str(
            uuid.uuid5(_NAMESPACE, f"{brief.run}/{brief.turn}")
        )
        if not is_uuid(conversation):
            raise HarnessError(
                f"{conversation[:60]!r} is not a conversation of the scripted agent",
                hint="Start a fresh run with `swarm retry`.",
            )
        job = {
            "turn": brief.turn,
            "prompt": brief.prompt,
            "model": brief.model,
            "workspace": brief.workspace,
            "state": f"{brief.state}/scripted",
            "conversation": conversation,
            "resume": bool(brief.conversation),
            "ask": brief.ask,
            "steps": turns[min(brief.turn, len(turns)) - 1],
        }
        return Launch(
            argv=("python3", "-I", f"{brief.launch}/{PROGRAM}", f"{brief.launch}/script.json"),
            env={"SWARM_GATEWAY": brief.gateway, "SWARM_KEY": brief.key},
            files={PROGRAM: _program(), "script.json": msgspec.json.encode(job)},
            interactive=True,
        )

    def session(self, brief: Brief) -> Session:
        return OwnSession("the scripted agent")


def _script(settings: Mapping[str, Any]) -> tuple[tuple[dict[str, Any], ...], ...]:
    for key in settings:
        if key != "script":
            raise BadSettings(unknown_key(f"settings.{key}", key, ["script"]))
    if "script" not in settings:
        raise BadSettings(
            "settings.script: is missing; the scripted agent has nothing to play",
            hint="See docs/reference/scripts.md.",
        )
    return read_script(settings["script"])


@cache
def _program() -> bytes:
    return files("harnesses").joinpath(PROGRAM).read_bytes()
