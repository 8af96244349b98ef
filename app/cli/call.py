"""One call of `swarm`: what all verbs share of it. Where it was called, how it talks, whom it asks."""

import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app.config import paths
from app.domain.errors import UsageError

if TYPE_CHECKING:
    import typer

    from app.client.client import Swarm

T = TypeVar("T")


class ReaderGone(Exception):
    """Whoever read our output has seen enough, as `swarm logs ID | head` does."""


@dataclass
class Call:
    """Filled by the options that every verb takes."""

    json: bool = False
    repo: Path | None = None

    @staticmethod
    def of(ctx: "typer.Context") -> "Call":
        """The one call that a context belongs to."""
        root = ctx.find_root()
        if not isinstance(root.obj, Call):
            root.obj = Call()
        ctx.obj = root.obj
        call: Call = root.obj
        return call

    @property
    def state(self) -> Path:
        """The state directory, whose supervisor is asked."""
        return paths.state_dir()

    @property
    def afar(self) -> bool:
        """Whether another supervisor than this machine's own is asked, whose files are not here."""
        return bool(os.environ.get("SWARM_URL"))

    @property
    def where(self) -> Path:
        """Where the user is, or says to be."""
        if self.afar and self.repo is None:
            raise UsageError(
                "the repository is on another machine, and nothing says which it is",
                hint="Name it as it is called there: --repo PATH.",
            )
        return self.repo if self.afar and self.repo else (self.repo or Path.cwd()).resolve()

    def root(self) -> Path | None:
        """The working tree around `where`; none outside of a repository. Raises when `--repo` names none."""
        if self.afar:
            return self.repo
        here = self.where
        for directory in (here, *here.parents):
            if (directory / ".git").exists():
                return directory
        if self.repo is not None:
            raise UsageError(f"{here} is not in a git repository")
        return None

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked something now."""
        return not self.json and sys.stdin.isatty() and sys.stderr.isatty()

    def ask(self, question: "Callable[[Swarm], Awaitable[T]]") -> T:
        """Ask the supervisor, which is started when none runs."""
        import asyncio

        from app.client.launch import find_or_start

        async def asked() -> T:
            swarm, _hello = await find_or_start(self.state)
            return await question(swarm)

        return asyncio.run(asked())

    def show(self, value: object, text: Callable[[], str]) -> None:
        """Print the answer: `value` as one JSON document, or `text()`."""
        self.out(json_text(value) if self.json else text())

    def out(self, text: str) -> None:
        """Data, to stdout."""
        if text:
            self.raw((text if text.endswith("\n") else text + "\n").encode(errors="replace"))

    def raw(self, data: bytes) -> None:
        """Data exactly as it is, to stdout. Raises `ReaderGone`."""
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
        except BrokenPipeError:
            raise ReaderGone from None

    def say(self, text: str) -> None:
        """Narration, to stderr."""
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def confirm(self, question: str) -> bool:
        """A person's yes or no; anything but a clear yes is a no."""
        sys.stderr.write(f"{question} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}


def json_text(value: object) -> str:
    """One JSON document. On a terminal it is indented, and ASCII only: nothing in it can act on the screen."""
    return _json(value, indent=2 if sys.stdout.isatty() else None)


def json_line(value: object) -> str:
    """One line of JSON, for streams."""
    return _json(value, indent=None)


def _json(value: object, *, indent: int | None) -> str:
    import msgspec

    data = msgspec.json.encode(value)
    if not sys.stdout.isatty():
        return data.decode()
    import json

    return json.dumps(json.loads(data), ensure_ascii=True, indent=indent)


def user_name() -> str:
    """Who is at the keyboard, for the audit."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def terminal(stream: Any) -> bool:
    """Whether the stream is a terminal that can do more than print lines."""
    return bool(stream.isatty()) and os.environ.get("TERM", "") != "dumb"
