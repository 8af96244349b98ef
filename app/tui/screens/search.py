"""Finding words in what a screen shows: `/` asks for them, `n` and `N` go on and back."""

from collections.abc import Mapping
from typing import ClassVar, Final

from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Input

from app.tui.screens.base import SwarmScreen, Verb
from app.tui.widgets.searched_view import SearchedView


class SearchField(Input):
    """A line for the words, there only while they are typed."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "give_up", "back")]
    DEFAULT_CSS = """
    SearchField { display: none; margin: 0 1; }
    """

    class GivenUp(Message):
        """The person does not want to search after all."""

    def __init__(self) -> None:
        super().__init__(placeholder="words to find", compact=True, id="search")

    def action_give_up(self) -> None:
        self.post_message(self.GivenUp())


class SearchedScreen(SwarmScreen):
    """A screen with a `SearchField` on it."""

    @property
    def searched(self) -> SearchedView:
        """The view in which words are looked for."""
        raise NotImplementedError

    def on_input_changed(self, event: Input.Changed) -> None:
        if isinstance(event.input, SearchField):
            self.searched.look_for(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if isinstance(event.input, SearchField):
            self._leave()
            if event.value and not self.searched.found:
                self.say(f"{event.value!r} is not in here")

    def on_search_field_given_up(self, _message: SearchField.GivenUp) -> None:
        self.searched.look_for("")
        self._leave()

    def _leave(self) -> None:
        self.query_one(SearchField).display = False
        self.searched.focus()


def ask(screen: SearchedScreen) -> None:
    screen.searched.start_from_here()
    field = screen.query_one(SearchField)
    field.display = True
    field.value = ""
    field.focus()


def go_on(screen: SearchedScreen) -> None:
    _step(screen, 1)


def go_back(screen: SearchedScreen) -> None:
    _step(screen, -1)


def _step(screen: SearchedScreen, step: int) -> None:
    view = screen.searched
    if not view.needle:
        screen.say("nothing is searched for yet: / asks for words")
    elif not view.go_to_match(step):
        screen.say(f"{view.needle!r} is not in here")


SEARCH: Final[Mapping[str, Verb]] = {"search": ask, "match": go_on, "match_back": go_back}
