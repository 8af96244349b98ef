"""Runs one turn of mini-swe-agent inside a sandbox: its loop, its prompts and its tool, told in swarm's events.

Called as `python3 mini_agent.py job.json`, beside `scripted_agent.py`, from which it has its voice and its ears.
Needs the package `mini-swe-agent`. The conversation is kept whole after every step, so that it can go on when
the process is killed.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import yaml

try:
    from scripted_agent import Ended, Inbox, clip, emit
except ImportError:  # Looked at in the repository, not in a sandbox.
    from harnesses.scripted_agent import Ended, Inbox, clip, emit

REFUSED = "The user refused this command."
KEPT_WORDS = "The command was not run to its end."


class Turn:
    """One turn of the agent, from the prompt to its last word."""

    def __init__(self, job: dict[str, Any], key: str) -> None:
        self.job = job
        self.key = key
        self.inbox = Inbox()
        self.number = 0
        self.used = {"input": 0, "output": 0}
        self.taken: set[str] = set()

    def go(self) -> int:
        """Play the turn; the exit status."""
        threading.Thread(target=self._heed, daemon=True).start()
        try:
            self._loop(self._agent())
            ended = Ended("end_turn")
        except Ended as early:
            ended = early
        except Exception as error:  # noqa: BLE001 - libraries of any kind work below; the turn must end with words
            status = getattr(error, "status_code", None)
            said = clip(str(error) or type(error).__name__)
            ended = Ended("error", said, status if isinstance(status, int) else None)
        self._end(ended)
        return 1 if ended.reason == "error" else 0

    def _end(self, ended: Ended) -> None:
        emit(type="usage", **self.used)
        emit(type="turn_ended", reason=ended.reason, error=ended.error, status=ended.status)

    def _heed(self) -> None:
        """An interruption ends the turn at once: what was kept stands, and the sandbox ends what still runs."""
        self.inbox.interrupted.wait()
        self._end(Ended("cancelled"))
        os._exit(0)

    def _agent(self) -> Any:
        """The agent as its own command line makes it, but for where it looks and what it tells."""
        import minisweagent
        from minisweagent.agents.default import DefaultAgent
        from minisweagent.config import builtin_config_dir
        from minisweagent.environments.local import LocalEnvironment
        from minisweagent.models.litellm_model import LitellmModel

        stock = yaml.safe_load((builtin_config_dir / "mini.yaml").read_text())
        options = {"api_base": self.job["base"], "api_key": self.key, "max_retries": 0}
        model = LitellmModel(
            model_name=self.job["model"],
            observation_template=stock["model"]["observation_template"],
            format_error_template=stock["model"]["format_error_template"],
            model_kwargs={**stock["model"].get("model_kwargs", {}), **options},
        )
        model.abort_exceptions = [*model.abort_exceptions, *_final()]
        env = LocalEnvironment(
            cwd=self.job["workspace"],
            env=stock["environment"]["env"],
            timeout=self.job["command_seconds"],
        )
        agent = DefaultAgent(
            model,
            env,
            system_template=stock["agent"]["system_template"],
            instance_template=stock["agent"]["instance_template"],
            step_limit=self.job["max_turns"],
            cost_limit=0,
        )
        self._begin(agent)
        emit(
            type="session_started",
            conversation=self.job["conversation"],
            model=self.job["model"].partition("/")[2],
            version=minisweagent.__version__,
        )
        return agent

    def _begin(self, agent: Any) -> None:
        """The messages so far, and the prompt behind them."""
        told = self.job["instructions"]
        prompt = self.job["prompt"]
        if told and not self.job["resume"]:
            prompt = f"{prompt}\n\nInstructions for work in this repository:\n\n{told}"
        if self.job["resume"]:
            agent.messages = settled(self._kept())
            agent.messages.append({"role": "user", "content": prompt})
            return
        agent.extra_template_vars |= {"task": prompt}
        render = agent._render_template  # noqa: SLF001 - as its own `run` begins
        agent.messages = [
            {"role": "system", "content": render(agent.config.system_template)},
            {"role": "user", "content": render(agent.config.instance_template)},
        ]

    def _kept(self) -> list[dict[str, Any]]:
        try:
            kept: list[dict[str, Any]] = json.loads(Path(self.job["kept"]).read_bytes())
        except (OSError, ValueError):
            raise Ended(
                "error", f"no conversation {self.job['conversation']} is kept here"
            ) from None
        return kept

    def _keep(self, agent: Any) -> None:
        """Whole or not at all: a process that is killed while it writes leaves what stood there."""
        kept = Path(self.job["kept"])
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft = kept.with_suffix(".draft")
        draft.write_text(json.dumps(agent.messages))
        draft.replace(kept)

    def _loop(self, agent: Any) -> None:
        from minisweagent.exceptions import FormatError, LimitsExceeded

        self._keep(agent)
        while True:
            self._listen(agent)
            try:
                message = agent.query()
            except LimitsExceeded:
                raise Ended("max_turn_requests", "it made as many model calls as it may") from None
            except FormatError as error:
                if self._wordy(agent, error):
                    return
                continue
            self._tell(message)
            over = self._act(agent, message)
            self._keep(agent)
            if over:
                return

    def _listen(self, agent: Any) -> None:
        """Take in what a person said meanwhile."""
        for name, text in self.inbox.said():
            if name not in self.taken:
                self.taken.add(name)
                agent.messages.append({"role": "user", "content": text})
                emit(type="message_taken", id=name)

    def _wordy(self, agent: Any, error: Any) -> bool:
        """A reply without a sound command: the turn ends with its words, or the model is told what was wrong."""
        told = error.messages[0].get("extra", {}).get("response") or {}
        choice = (told.get("choices") or [{}])[0] if isinstance(told, dict) else {}
        reply = choice.get("message") or {}
        self._count(told if isinstance(told, dict) else {})
        words = reply.get("content") or ""
        if words:
            emit(type="message", text=clip(words), message=self._name("m"))
        if words and not reply.get("tool_calls"):
            agent.messages.append({"role": "assistant", "content": words})
            self._keep(agent)
            return True
        agent.messages += error.messages
        agent.n_consecutive_format_errors += 1
        if agent.n_consecutive_format_errors >= agent.config.max_consecutive_format_errors:
            raise Ended("error", "its model gave no command that could be read, several times")
        return False

    def _tell(self, message: dict[str, Any]) -> None:
        self._count(message.get("extra", {}).get("response") or {})
        if words := message.get("content"):
            emit(type="message", text=clip(str(words)), message=self._name("m"))

    def _act(self, agent: Any, message: dict[str, Any]) -> bool:
        """Carry its commands out; whether the last one hands the work in."""
        from minisweagent.exceptions import Submitted

        outputs: list[dict[str, Any]] = []
        over = False
        for action in message["extra"]["actions"]:
            try:
                outputs.append(self._command(agent, action["command"]))
            except Submitted:
                outputs.append({"output": "", "returncode": 0, "exception_info": ""})
                over = True
        agent.n_consecutive_format_errors = 0
        agent.messages += agent.model.format_observation_messages(
            message, outputs, agent.get_template_vars()
        )
        return over

    def _command(self, agent: Any, command: str) -> dict[str, Any]:
        name = self._name("t")
        title = "bash: " + " ".join(command.split())[:100]
        given = clip(json.dumps({"command": command}))
        emit(type="tool_call", id=name, title=title, tool="execute", input=given)
        if self.job["ask"]:
            emit(
                type="permission_asked", id=name, title=title, tool="execute", name="bash",
                input=given,
            )  # fmt: skip
            allow, note = self.inbox.wait(name)
            if not allow:
                said = f"{REFUSED} {note}".strip()
                emit(type="tool_call_update", id=name, status="failed", output=said)
                return {"output": said, "returncode": -1, "exception_info": ""}
        output: dict[str, Any] = {"returncode": 0}
        try:
            output = agent.env.execute({"command": command})
        finally:
            status = "completed" if output.get("returncode") == 0 else "failed"
            text = clip(str(output.get("output", "")))
            emit(type="tool_call_update", id=name, status=status, output=text)
        return output

    def _count(self, response: dict[str, Any]) -> None:
        usage = response.get("usage") or {}
        self.used["input"] += usage.get("prompt_tokens") or 0
        self.used["output"] += usage.get("completion_tokens") or 0

    def _name(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.job['turn']}-{self.number}"


def settled(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversation as a provider takes it: every call of a tool has its result."""
    said = [message for message in messages if message.get("role") != "exit"]
    answered = {message.get("tool_call_id") for message in said}
    open_ = (said[-1].get("tool_calls") or []) if said else []
    for call in open_:
        if call["id"] not in answered:
            said.append({"role": "tool", "tool_call_id": call["id"], "content": KEPT_WORDS})
    return said


def _final() -> list[type[Exception]]:
    """Errors that another try does not mend."""
    from litellm import exceptions

    return [exceptions.APIError, exceptions.BadRequestError, exceptions.RateLimitError]


def main() -> int:
    key = os.environ.pop("SWARM_TOKEN", "")
    return Turn(json.loads(Path(sys.argv[1]).read_bytes()), key).go()


if __name__ == "__main__":
    # Not `sys.exit`, which waits for threads of the library that never end.
    os._exit(main())
