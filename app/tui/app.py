"""The application: screens over one desk, one feed that follows the supervisor."""

import asyncio
import copy
import gc
import getpass
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.filter import LineFilter, NoColor
from textual.message import Message
from textual.screen import Screen

from app.client import launch
from app.client.way import elsewhere
from app.domain.errors import SwarmError, UsageError
from app.domain.ids import task_of
from app.domain.notices import Notice
from app.domain.run import RunState
from app.domain.safe import clean
from app.tui.actions import at, use
from app.tui.desk import Desk
from app.tui.feed import Feed
from app.tui.glyphs import AsciiSigns, in_ascii
from app.tui.keymap import key_name, possible
from app.tui.messages import Noticed, Open, Refresh
from app.tui.palettes import PALETTES
from app.tui.rebinding import keymap, rebound
from app.tui.ring import one_line, sequence, way_of
from app.tui.safe import PrintableOnly
from app.tui.screens.base import SwarmScreen
from app.tui.screens.board import Board
from app.tui.screens.review import ReviewScreen
from app.tui.screens.run import RunScreen
from app.tui.theme import VARIABLES, theme
from app.wire import Board as Rows

ASCII_SIGNS, NO_COLOR, ONLY_PRINTABLE = AsciiSigns(), NoColor(), PrintableOnly()
"""The same objects all along: Textual keeps what a filter has made of a line as long as that filter is asked."""


class SwarmApp(App[None], inherit_bindings=False):
    """Give it a desk; it ends when the person leaves. What runs goes on."""

    CSS_PATH = "swarm.tcss"
    TITLE = "swarm"
    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+c", "say_how_to_leave", "")]
    COMMAND_PALETTE_BINDING = "ctrl+p"

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.feed = Feed(desk, self.tell)
        self.animation_level = "none"
        for name in PALETTES:
            self.register_theme(theme(name))
        table, self.faults = rebound(desk.look.keys, desk.look.keys_from)
        use(table)
        self.set_keymap(keymap(table))
        self.ascii = in_ascii(desk.look.signs)
        self.theme = "plain" if self.no_color else desk.look.theme

    def get_default_screen(self) -> Screen[None]:
        return Board(self.desk)

    def get_line_filters(self) -> Sequence[LineFilter]:
        signs = [ASCII_SIGNS] if self.ascii else []
        inks = [NO_COLOR] if self.theme == "plain" else []
        return [*super().get_line_filters(), *signs, *inks, ONLY_PRINTABLE]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return VARIABLES

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The palette offers what the keys of this screen do."""
        if isinstance(screen, SwarmScreen):
            for action in at(screen.PLACE):
                if possible(action, screen.state):
                    key = key_name(action.keys[0])
                    yield SystemCommand(
                        f"{action.label}  {key}",
                        action.help.replace("`", ""),
                        lambda a=action.id: screen.action_do(a),
                    )

    def on_mount(self) -> None:
        self.run_worker(self.feed.run(), group="feed", exit_on_error=True)
        look = self.desk.look
        wrong = [f"{look.fault}\nWhat was read last holds."] if look.fault else []
        if self.faults:
            wrong.append("\n".join([*self.faults, "The keys are as they are shipped."]))
        for text in wrong:
            self.notify(clean(text), severity="error", timeout=20, markup=False)

    async def on_unmount(self) -> None:
        await self.desk.syntax.close()

    def pop_screen(self) -> AwaitComplete:
        self._let_go(self.screen)
        return super().pop_screen()

    def switch_screen(self, screen: Screen[Any] | str) -> AwaitComplete:
        self._let_go(self.screen)
        return super().switch_screen(screen)

    def _let_go(self, screen: Screen[Any]) -> None:
        """Nothing is worked for on a screen that is left: widgets go first, and an answer would find none."""
        for worker in list(self.workers):
            if screen in worker.node.ancestors_with_self:
                worker.cancel()

    def tell(self, news: Message) -> None:
        """To every screen: those below the top one are seen too."""
        if isinstance(news, Noticed):
            self.ring(news.notices)
            return
        for screen in self.screen_stack:
            screen.post_message(copy.copy(news))

    def ring(self, notices: Sequence[Notice]) -> None:
        """Make the terminal heard; Textual has no way of its own but the bell."""
        rows = self.desk.fleet.rows
        goals = (rows.get(task_of(notice.run)) for notice in notices)
        texts = [
            notice.text(row.task.goal if row else "")
            for notice, row in zip(notices, goals, strict=True)
        ]
        if self._driver is not None:
            way = way_of(self.desk.look.ring, os.environ)
            self._driver.write(sequence(way, one_line(texts)))

    def action_say_how_to_leave(self) -> None:
        self.notify("q leaves the screen; agents go on working", markup=False)

    async def on_refresh(self, _message: Refresh) -> None:
        starting = any(worker.group == "start" for worker in self.workers)
        if not self.desk.link and self.desk.start is not None and not starting:
            self.run_worker(self._restart(self.desk.start), group="start")
        await self.feed.refresh()

    async def _restart(self, start: Callable[[], Awaitable[object]]) -> None:
        """A supervisor in place of the one that is gone; the feed finds it by itself."""
        self.notify("starting the supervisor …", markup=False)
        try:
            await start()
        except SwarmError as error:
            self.notify(
                clean(f"{error.message}\n{error.hint}".strip()), severity="error", markup=False
            )
        else:
            await self.feed.refresh()

    def on_open(self, message: Open) -> None:
        """A run that waits for a verdict opens as a review, every other one as itself; the board only selects."""
        row = self.desk.fleet.rows.get(message.task)
        if row is None:
            return
        if isinstance(self.screen, Board) and message.instead:
            self.screen.select(row)
            return
        review = row.run.state is RunState.IN_REVIEW
        screen = (
            ReviewScreen(self.desk, message.task) if review else RunScreen(self.desk, message.task)
        )
        if message.instead:
            self.switch_screen(screen)
        else:
            self.push_screen(screen)


def open_screen(state: Path, repo: str, verbs: tuple[str, ...] = ()) -> None:
    """Find or start the supervisor of `state` and show the runs of `repo` until the person leaves.

    Raises `SwarmError` when there is no supervisor to be had or the terminal cannot show a screen.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM", "dumb") == "dumb":
        raise UsageError(
            "this terminal cannot show a screen",
            hint="`swarm ps`, `swarm logs -f` and `swarm answer` do the same in plain text.",
        )
    desk, board = asyncio.run(_desk(state, repo))
    desk.state_dir, desk.verbs = str(state), verbs
    if not elsewhere():
        desk.start = partial(launch.find_or_start, state)
    if board is not None:
        desk.fleet.load(board)
    gc.freeze()
    SwarmApp(desk).run()


async def _desk(state: Path, repo: str) -> tuple[Desk, Rows | None]:
    """The desk, and the board for the first frame if it can be had at once."""
    swarm, hello = await launch.find_or_start(state)
    desk = Desk(
        swarm,
        repo,
        time.time,
        user=getpass.getuser(),
        sandbox=hello.sandbox,
        isolation=hello.isolation,
    )
    try:
        board = await swarm.board(repo)
        desk.look = await swarm.look()
    except SwarmError:
        return desk, None
    return desk, board
