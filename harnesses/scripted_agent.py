"""Plays one turn of a script inside a sandbox. One file, standard library only, Python 3.9 or newer.

Called as `python3 -I scripted_agent.py script.json`. It prints swarm's events as JSON lines and reads, as
JSON lines, `{"answer": ID, "allow": true, "note": "…"}`, `{"message": ID, "text": "…"}`, `{"interrupt": true}`.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path
from typing import Any

OUTPUT_LIMIT = 8_000
BYTES_PER_TOKEN = 2
"""A gateway that bounds input tokens by the size of the body must find room for those that are claimed."""


class Ended(Exception):
    """The turn is over before its last step."""

    def __init__(self, reason: str, error: str = "", status: int | None = None) -> None:
        super().__init__(error)
        self.reason, self.error, self.status = reason, error, status


class Inbox:
    """What comes in on standard input, read aside so that an interruption is seen during any step."""

    def __init__(self) -> None:
        self.interrupted = threading.Event()
        self._answers: dict[str, tuple[bool, str]] = {}
        self._messages: dict[str, str] = {}
        self._heard = 0
        self._closed = False
        self._news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def wait(self, question: str) -> tuple[bool, str]:
        with self._news:
            while question not in self._answers:
                if self.interrupted.is_set():
                    raise Ended("cancelled")
                if self._closed:
                    raise Ended("error", "nobody can answer: standard input is closed")
                self._news.wait()
            return self._answers[question]

    def hear(self) -> tuple[str, str]:
        """The next message of a person, once there is one: its id and its text."""
        with self._news:
            while len(self._messages) <= self._heard:
                if self.interrupted.is_set():
                    raise Ended("cancelled")
                if self._closed:
                    raise Ended("error", "nobody can be heard: standard input is closed")
                self._news.wait()
            self._heard += 1
            return list(self._messages.items())[self._heard - 1]

    def said(self) -> list[tuple[str, str]]:
        """All messages of a person so far: their ids and texts."""
        with self._news:
            return list(self._messages.items())

    def _read(self) -> None:
        # Not sys.stdin: its lock, held by a waiting thread, would break the interpreter's shutdown.
        pending = b""
        while True:
            try:
                chunk = os.read(0, 65536)
            except OSError:
                chunk = b""
            *lines, pending = (pending + chunk).split(b"\n")
            with self._news:
                for line in lines:
                    self._take(line)
                self._closed = not chunk
                self._news.notify_all()
            if not chunk:
                return

    def _take(self, line: bytes) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            return
        if not isinstance(said, dict):
            return
        if said.get("interrupt") is True:
            self.interrupted.set()
        if isinstance(said.get("answer"), str) and isinstance(said.get("allow"), bool):
            answer = (said["allow"], str(said.get("note", "")))
            self._answers.setdefault(said["answer"], answer)
        if isinstance(said.get("message"), str) and isinstance(said.get("text"), str):
            self._messages.setdefault(said["message"], said["text"])


class Player:
    """Plays the steps of one turn."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.root = Path(job["workspace"]).resolve()
        self.inbox = Inbox()
        self.number = 0
        self.note = ""
        self.remembered = 0
        self.used = {"input": 0, "output": 0}

    def play(self) -> int:
        """Play the turn; the exit status."""
        try:
            self.remembered = remember(self.job)
            emit(
                type="session_started",
                conversation=self.job["conversation"],
                model=self.job["model"],
            )
            self._steps(self.job["steps"])
            ended = Ended("end_turn")
        except Ended as early:
            ended = early
        except OSError as error:
            ended = Ended("error", str(error))
        if any(self.used.values()):
            emit(type="usage", **self.used)
        emit(type="turn_ended", reason=ended.reason, error=ended.error, status=ended.status)
        return 1 if ended.reason == "error" else 0

    def _steps(self, steps: list[dict[str, Any]]) -> None:
        for step in steps:
            if self.inbox.interrupted.is_set():
                raise Ended("cancelled")
            getattr(self, "_do_" + step["step"])(step)

    def _do_say(self, step: dict[str, Any]) -> None:
        emit(type="message", text=self._fill(step["text"]), message=self._name("m"))

    def _do_think(self, step: dict[str, Any]) -> None:
        emit(type="thought", text=self._fill(step["text"]), message=self._name("m"))

    def _do_plan(self, step: dict[str, Any]) -> None:
        entries = [{"type": "plan_entry", **entry} for entry in step["entries"]]
        emit(type="plan", entries=entries)

    def _do_edit(self, step: dict[str, Any]) -> None:
        path = step["path"]
        verb, kind = ("Delete", "delete") if step["delete"] else ("Edit", "edit")
        call = self._call(f"{verb}: {path}", kind, step, (path,))
        try:
            self._edit(self._inside(path), step)
        except (OSError, UnicodeError, ValueError) as error:
            self._done(call, str(error), failed=True)
        else:
            self._done(call, "")

    def _edit(self, path: Path, step: dict[str, Any]) -> None:
        if step["delete"]:
            path.unlink()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if step["content"] is not None:
            text = self._fill(step["content"])
        else:
            old = path.read_bytes().decode()
            if step["replace"] not in old:
                raise ValueError(f"{step['path']} does not contain the text to replace")
            text = old.replace(step["replace"], self._fill(step["with"]))
        path.write_bytes(text.encode())

    def _do_run(self, step: dict[str, Any]) -> None:
        call = self._call(f"Run: {step['command']}", "execute", {"command": step["command"]}, ())
        try:
            code, output = self._shell(step)
        except (OSError, ValueError) as error:
            self._done(call, str(error), failed=True)
            return
        self._done(call, f"{output}\n(exit {code})" if code else output, failed=code != 0)

    def _shell(self, step: dict[str, Any]) -> tuple[int, str]:
        env = {name: value for name, value in os.environ.items() if name != "SWARM_KEY"}
        env.update(SWARM_PROMPT=self.job["prompt"], SWARM_TURN=str(self.job["turn"]))
        process = subprocess.Popen(
            ["sh", "-c", step["command"]],
            cwd=self._inside(step["cwd"]),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + step["timeout"]
        while True:
            try:
                output = process.communicate(timeout=0.1)[0]
            except subprocess.TimeoutExpired:
                if self.inbox.interrupted.is_set() or time.monotonic() > deadline:
                    process.kill()
                    return -9, f"killed after {step['timeout']} s"
            else:
                return int(process.returncode), output.decode(errors="replace")

    def _do_ask(self, step: dict[str, Any]) -> None:
        allowed = True
        if self.job["ask"]:
            question = self._name("q")
            told = {key: step[key] for key in ("title", "tool", "name", "paths")}
            if step["tool"] == "execute":
                told["command"] = step["detail"]
            emit(type="permission_asked", id=question, input=step["detail"], **told)
            allowed, self.note = self.inbox.wait(question)
        self._steps(step.get("then" if allowed else "else", []))

    def _do_listen(self, step: dict[str, Any]) -> None:
        message, self.note = self.inbox.hear()
        emit(type="message_taken", id=message)
        self._steps(step.get("then", []))

    def _do_tokens(self, step: dict[str, Any]) -> None:
        for _ in range(step["times"]):
            if self.inbox.interrupted.is_set():
                raise Ended("cancelled")
            try:
                self._ask_model(step)
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise Ended("error", f"the model call broke off: {error!r}") from None

    def _ask_model(self, step: dict[str, Any]) -> None:
        base = urllib.parse.urlsplit(os.environ.get("SWARM_GATEWAY", ""))
        secure = base.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(base.hostname or "", base.port, timeout=600)
        headers = {
            "authorization": "Bearer " + os.environ.get("SWARM_KEY", ""),
            "content-type": "application/json",
            "anthropic-version": "2023-06-01",
        }
        path = base.path.rstrip("/") + "/anthropic/v1/messages"
        try:
            connection.request("POST", path, request(step, self.job["model"]), headers)
            self._read_reply(connection.getresponse())
        finally:
            connection.close()

    def _read_reply(self, reply: http.client.HTTPResponse) -> None:
        if reply.status != 200:
            text = reply.read(OUTPUT_LIMIT).decode(errors="replace")
            error = f"the model call failed: {reply.status} {reason(text)}"
            raise Ended("error", error, reply.status)
        whole = False
        for line in reply:
            if self.inbox.interrupted.is_set():
                raise Ended("cancelled")
            if line.startswith(b"data:"):
                event = json.loads(line[5:])
                whole = whole or event.get("type") == "message_stop"
                self._count(event)
        if not whole:
            raise ValueError("the reply ended in the middle")

    def _count(self, event: dict[str, Any]) -> None:
        if event.get("type") == "error":
            raise Ended("error", f"the model call failed: {reason(json.dumps(event))}")
        if event.get("type") == "message_start":
            self.used["input"] += event["message"]["usage"].get("input_tokens", 0)
        if event.get("type") == "message_delta":
            self.used["output"] += event["usage"].get("output_tokens", 0)

    def _do_sleep(self, step: dict[str, Any]) -> None:
        if self.inbox.interrupted.wait(step["seconds"]):
            raise Ended("cancelled")

    def _do_fail(self, step: dict[str, Any]) -> None:
        raise Ended("error", self._fill(step["error"]))

    def _do_crash(self, step: dict[str, Any]) -> None:
        if step["signal"]:
            number = getattr(signal, "SIG" + step["signal"])
            if number not in (signal.SIGKILL, signal.SIGSTOP):
                signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            time.sleep(1)
            os._exit(128 + number)
        os._exit(step["code"])

    def _do_usage(self, step: dict[str, Any]) -> None:
        emit(type="usage", **{key: value for key, value in step.items() if key != "step"})

    def _do_raw(self, step: dict[str, Any]) -> None:
        sys.stdout.buffer.write(step["line"].encode() * step["times"] + b"\n")
        sys.stdout.buffer.flush()

    def _do_repeat(self, step: dict[str, Any]) -> None:
        for _ in range(step["times"]):
            self._steps(step.get("steps", []))

    def _call(self, title: str, kind: str, given: dict[str, Any], paths: tuple[str, ...]) -> str:
        name = self._name("t")
        told = {key: value for key, value in given.items() if value not in (None, False)}
        told.pop("step", None)
        title = " ".join(title.split())[:120]
        text = clip(json.dumps(told, ensure_ascii=False))
        emit(type="tool_call", id=name, title=title, tool=kind, input=text, paths=paths)
        return name

    def _done(self, call: str, output: str, *, failed: bool = False) -> None:
        status = "failed" if failed else "completed"
        emit(type="tool_call_update", id=call, status=status, output=clip(output))

    def _name(self, letter: str) -> str:
        self.number += 1
        return f"{letter}{self.job['turn']}-{self.number}"

    def _fill(self, text: str) -> str:
        """The text with its placeholders filled in."""
        values = {
            "prompt": self.job["prompt"],
            "turn": str(self.job["turn"]),
            "note": self.note,
            "remembered": str(self.remembered),
        }
        for name, value in values.items():
            text = text.replace("{{" + name + "}}", value)
        return text

    def _inside(self, path: str) -> Path:
        """The path in the tree; refused when a symbolic link leads out of it."""
        full = (self.root / path).resolve()
        if full != self.root and self.root not in full.parents:
            raise ValueError(f"{path} leads out of the workspace")
        return full


def remember(job: dict[str, Any]) -> int:
    """Write the turn into the conversation's file; how many turns stood there before."""
    kept = Path(job["state"]) / (job["conversation"] + ".jsonl")
    if job["resume"] and not kept.is_file():
        raise Ended("error", f"no conversation {job['conversation']} is kept here")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("a+b") as file:
        file.seek(0)
        before: int = file.read().count(b"\n")
        file.write(json.dumps({"turn": job["turn"], "prompt": job["prompt"]}).encode() + b"\n")
    return before


def request(step: dict[str, Any], model: str) -> bytes:
    """The body of a model call; the scripted endpoint reads from it what usage to report."""
    directive = f"[[usage input={step['input']} output={step['output']}]]"
    padding = " " + "word " * (step["input"] * BYTES_PER_TOKEN // 5)
    body = {
        "model": step["model"] or model,
        "max_tokens": max(1, step["output"]),
        "stream": True,
        "messages": [{"role": "user", "content": directive + padding}],
    }
    return json.dumps(body).encode()


def reason(text: str) -> str:
    """The message of an error body, in whatever form it came."""
    try:
        return str(json.loads(text)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return clip(text)


def clip(text: str) -> str:
    if len(text) <= OUTPUT_LIMIT:
        return text
    return f"{text[:OUTPUT_LIMIT]}… ({len(text) - OUTPUT_LIMIT} more characters)"


def emit(**event: Any) -> None:
    text = json.dumps(event, ensure_ascii=False)
    sys.stdout.buffer.write(text.encode(errors="replace") + b"\n")
    sys.stdout.buffer.flush()


def main() -> int:
    job = json.loads(Path(sys.argv[1]).read_bytes())
    return Player(job).play()


if __name__ == "__main__":
    sys.exit(main())
