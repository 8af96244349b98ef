"""A screen that is one list of lines, asked for when it opens: the base of costs, health and settings."""

from collections.abc import Mapping
from typing import ClassVar, Final

from textual import work
from textual.app import ComposeResult

from app.domain.errors import SwarmError
from app.tui.model.line import Line
from app.tui.screens import verbs
from app.tui.screens.base import Verb, unless_gone
from app.tui.screens.search import SEARCH, SearchedScreen, SearchField
from app.tui.widgets.bars import Footer, Rule, Written
from app.tui.widgets.searched_view import Lines, SearchedView
from app.wire import RunRow


def reload(screen: "Sheet") -> None:
    screen.load()


OF_A_SHEET: Final[Mapping[str, Verb]] = {**verbs.COMMON, **SEARCH, "refresh": reload}
"""What all of them do."""


class Sheet(SearchedScreen):
    """Asks once, says how it stands, and draws what came as lines."""

    HEAD: ClassVar[str]
    """What the screen is, in the band at its top."""
    DEFAULT_CSS = """
    Sheet Lines { height: 1fr; }
    """

    def compose(self) -> ComposeResult:
        yield Written(id="head", classes="head")
        yield Rule()
        yield Lines()
        yield SearchField()
        yield Footer()

    async def fetch(self) -> None:
        """Ask the supervisor."""
        raise NotImplementedError

    def heading(self) -> tuple[Line, str, str]:
        """What stands beside the screen's name, and at both ends of the rule below."""
        raise NotImplementedError

    def drawn(self, width: int) -> list[Line]:
        """What has come, as lines."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.query_one(Lines).focus()
        self.load()

    @property
    def row(self) -> RunRow | None:
        return None

    @property
    def searched(self) -> SearchedView:
        return self.query_one(Lines)

    @work(exclusive=True, group="sheet", exit_on_error=True)
    @unless_gone
    async def load(self) -> None:
        """Ask; what stood there stays when nobody answers."""
        try:
            await self.fetch()
        except SwarmError as error:
            if self.desk.link:
                self.say(error.message, hint=error.hint, bad=True)
            return
        self.update()

    def update(self) -> None:
        beside, title, aside = self.heading()
        self.query_one("#head", Written).text = (
            [(f" {self.HEAD} ", "brand"), *beside, *self.desk.gone],
        )
        rule, view = self.query_one(Rule), self.query_one(Lines)
        rule.title, rule.aside = title, aside
        view.show(self.drawn(view.scrollable_content_region.width or self.size.width))
        self.update_footer()

    def on_resize(self) -> None:
        self.call_after_refresh(self.update)
