"""The command line of the screen: any verb of `swarm`, run as in a shell, its output shown here."""

import asyncio
import os
import shlex
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input

from app.tui.desk import Desk
from app.tui.messages import Refresh
from app.tui.model.line import Line, wrap
from app.tui.screens.outside import PROGRAM
from app.tui.widgets.bars import Rule
from app.tui.widgets.searched_view import Lines

MOST: Final = 1024 * 1024
"""Characters of output that are shown; the end of more."""
HERE: Final = "%"
"""Stands for the selected run."""


def words_of(typed: str, run: str) -> list[str]:
    """The arguments that were typed. Raises `ValueError` for what no shell would take, or with no run to mean."""
    words = shlex.split(typed)
    if words[:1] == ["swarm"]:
        words = words[1:]
    if HERE in words and not run:
        raise ValueError(f"{HERE} stands for the selected run, and none is selected")
    return [run if word == HERE else word for word in words]


class CommandScreen(ModalScreen[str | None]):
    """A line at the bottom; what was typed out, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "leave", "back")]
    DEFAULT_CSS = """
    CommandScreen { align: left bottom; background: $background 0%; }
    CommandScreen > Vertical { height: 2; background: $swarm-band; }
    CommandScreen Input { margin: 0 1; }
    """

    def __init__(self, verbs: Iterable[str]) -> None:
        super().__init__()
        self.verbs = verbs

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Rule()
            yield Input(
                placeholder="a verb of swarm, for example: trash",
                suggester=SuggestFromList(self.verbs),
                compact=True,
            )

    def on_mount(self) -> None:
        rule = self.query_one(Rule)
        rule.title, rule.aside = "swarm", f"{HERE} is the selected run · ^p finds keys by name"
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip() or None)

    def action_leave(self) -> None:
        self.dismiss(None)


class OutputScreen(ModalScreen[None]):
    """What a verb said, as it says it; leaving ends a verb that would go on."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q", "leave", "back")]
    DEFAULT_CSS = """
    OutputScreen { align: center middle; background: $background 60%; }
    OutputScreen > Vertical { width: 100%; height: 90%; background: $swarm-band; }
    OutputScreen Lines { background: $swarm-band; }
    """

    def __init__(self, desk: Desk, words: list[str]) -> None:
        super().__init__()
        self.desk, self.words = desk, words
        self.said = ""
        self._process: asyncio.subprocess.Process | None = None

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Rule()
            yield Lines()

    def on_mount(self) -> None:
        self.query_one(Rule).title = "swarm " + shlex.join(self.words)
        self._tell("works …")
        self.query_one(Lines).focus()
        self._follow()

    def on_unmount(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()

    def on_resize(self) -> None:
        self._draw()

    def action_leave(self) -> None:
        self.post_message(Refresh())
        self.dismiss(None)

    @work(exclusive=True, group="command", exit_on_error=True)
    async def _follow(self) -> None:
        """Show what comes until the verb ends, and how it ended."""
        width = str(max(self.size.width - 4, 20))
        env = {**os.environ, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": width}
        if self.desk.state_dir:
            env["SWARM_STATE_DIR"] = self.desk.state_dir
        self._process = await asyncio.create_subprocess_exec(
            *PROGRAM,
            *self.words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=env,
            cwd=self.desk.repo if Path(self.desk.repo).is_dir() else None,
        )
        assert self._process.stdout is not None
        while piece := await self._process.stdout.read(65536):
            self.said = (self.said + piece.decode(errors="replace"))[-MOST:]
            self._draw()
        code = await self._process.wait()
        self._tell("done" if code == 0 else f"ended with {code}")
        self._draw()

    def _tell(self, how: str) -> None:
        self.query_one(Rule).aside = f"{how} · esc back"

    def _draw(self) -> None:
        width = max(self.size.width - 3, 20)
        lines: list[Line] = [[(" " + text, "")] for text in wrap(self.said.rstrip(), width)]
        self.query_one(Lines).show(lines if self.said else [])
