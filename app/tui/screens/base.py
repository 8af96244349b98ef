"""What all screens have in common: the table dispatches, and refusals are told, not raised."""

import contextlib
import functools
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeAlias, TypeVar

from textual.binding import BindingType
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widget import Widget

from app.domain.errors import SwarmError
from app.domain.run import RunState
from app.domain.safe import clean
from app.tui.actions import Place, find
from app.tui.desk import Desk
from app.tui.keymap import key_name, possible
from app.tui.messages import FleetChanged, LinkChanged, Refresh
from app.tui.model.show import WORDS, state_of
from app.tui.widgets.bars import Footer, Title
from app.tui.widgets.line_view import LineView
from app.tui.widgets.question_card import QuestionCard
from app.wire import RunRow

Verb: TypeAlias = Callable[[Any], Awaitable[None] | None]
S = TypeVar("S", bound=Widget)
P = ParamSpec("P")


def unless_gone(
    load: Callable[Concatenate[S, P], Coroutine[Any, Any, None]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, None]]:
    """Drop an answer that comes back while what asked for it is taken down: its parts go first."""

    @functools.wraps(load)
    async def loaded(asker: S, /, *words: P.args, **named: P.kwargs) -> None:
        with contextlib.suppress(NoMatches):
            await load(asker, *words, **named)

    return loaded


class SwarmScreen(Screen[None]):
    """A screen over the desk. `DOES` says what each of the table's actions at `PLACE` does."""

    PLACE: ClassVar[Place]
    DOES: ClassVar[Mapping[str, Verb]]
    BINDINGS: ClassVar[list[BindingType]] = []
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (16, "-normal"), (30, "-tall")]  # noqa: RUF012 - as above

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk

    @property
    def row(self) -> RunRow | None:
        """The run that keys are about."""
        raise NotImplementedError

    def update(self) -> None:
        """Draw what the desk knows now."""
        raise NotImplementedError

    @property
    def state(self) -> RunState | None:
        return state_of(self.row) if self.row is not None else None

    @property
    def together(self) -> bool:
        """Whether keys are about several runs that are marked, not about one."""
        return False

    def action_do(self, what: str) -> None:
        """One of the table's actions, if it makes sense now."""
        action = find(self.PLACE, what)
        if not self.together and not possible(action, self.state):
            key = f"{key_name(action.keys[0])} ({action.label})"
            if self.state is None:
                self.say(f"{key} is about a run, and none is selected")
            else:
                word = WORDS[self.state][1]
                self.say(f"{key} is not possible for this run: {word}")
            return
        if what == "refresh" and not self.desk.link:
            self.post_message(Refresh())
        result = self.DOES[what](self)
        if isinstance(result, Coroutine):
            self.run_worker(self.attempt(result), group="verbs", exit_on_error=True)

    async def attempt(self, work: Awaitable[None]) -> None:
        """Do it; what the supervisor refuses is said, with the way out."""
        try:
            await work
        except SwarmError as error:
            self.say(error.message, hint=error.hint, bad=True)

    def say(self, text: str, *, hint: str = "", bad: bool = False) -> None:
        """A short word in the corner."""
        message = clean(text) + ("\n" + clean(hint) if hint else "")
        self.app.notify(
            message,
            severity="error" if bad else "information",
            markup=False,
            timeout=8 if bad else 4,
        )

    def on_mount(self) -> None:
        self.update()

    def on_screen_resume(self) -> None:
        if self.is_mounted:
            self.update()

    def on_descendant_focus(self) -> None:
        """The title of the list that hears the keys is lit."""
        heard = Title.above(self.focused) if isinstance(self.focused, LineView) else None
        for title in self.query(Title):
            title.lit = title is heard

    def on_fleet_changed(self, _message: FleetChanged) -> None:
        self.update()

    def on_link_changed(self, _message: LinkChanged) -> None:
        self.update()

    def offer(self, card: QuestionCard) -> None:
        """The keys of the question while it has the focus, else those of the screen."""
        footer, asked = self.query_one(Footer), card.has_focus
        footer.place = "question" if asked else self.PLACE
        footer.without = card.withheld if asked else ()

    def update_footer(self) -> None:
        footer = self.query_one(Footer)
        footer.place, footer.state = self.PLACE, self.state
