"""Lists of things that have a name: selection and marks stay on the thing, wherever it moves in the list."""

from collections.abc import Sequence
from typing import ClassVar, Final, Generic, TypeVar

from app.tui.model.line import Line
from app.tui.widgets.line_view import LineView

T = TypeVar("T")
MARK: Final = "●"
"""Stands behind the sign of what is marked."""


class KeptView(LineView, Generic[T]):
    """Things in; `Moved` out when another one is selected. A heading is a line that cannot be selected."""

    has_cursor: ClassVar[bool] = True

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.things: Sequence[T | str] = ()
        """What is listed, in order; a text is a heading."""
        self.marked: frozenset[str] = frozenset()
        """Names of what is marked, all of it in the list."""
        self._kept: str | None = None

    def name_of(self, thing: T) -> str:
        """What it is called, whatever else changes about it."""
        raise NotImplementedError

    def draw_thing(self, thing: T, width: int, *, marked: bool) -> Line:
        raise NotImplementedError

    @property
    def selected(self) -> T | None:
        thing = self.things[self.cursor] if self.cursor < len(self.things) else None
        return None if isinstance(thing, str) else thing

    def chosen(self) -> list[T]:
        """What is marked, in the list's order; without marks what is selected."""
        if self.marked:
            return [thing for thing in self._named().values() if self.name_of(thing) in self.marked]
        return [self.selected] if self.selected is not None else []

    def list_things(self, things: Sequence[T | str]) -> None:
        self.things = things
        names = self._named()
        self.marked &= names.keys()
        places = {
            self.name_of(thing): at for at, thing in enumerate(things) if not isinstance(thing, str)
        }
        place = places.get(self._kept or "")
        self.set_count(len(things))
        before = self.cursor
        self.cursor = self._off_heading(before if place is None else place, 1)
        if self.cursor == before:
            self._remember()
            self.post_message(self.Moved(self))

    def select(self, name: str) -> None:
        for at, thing in enumerate(self.things):
            if not isinstance(thing, str) and self.name_of(thing) == name:
                self.cursor = at

    def toggle_mark(self) -> None:
        """Mark what is selected, or not, and go on to the next."""
        if self.selected is not None:
            self.marked ^= {self.name_of(self.selected)}
            self.redraw()
            self.action_do("down")

    def toggle_all(self) -> None:
        """Mark everything that is listed; nothing, when everything is marked."""
        names = frozenset(self._named())
        self.marked = frozenset() if self.marked == names else names
        self.redraw()

    def unmark(self) -> None:
        self.marked = frozenset()
        self.redraw()

    def action_do(self, what: str) -> None:
        super().action_do(what)
        self.cursor = self._off_heading(self.cursor, -1 if what in {"up", "page_up"} else 1)

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self._remember()

    def draw(self, row: int, width: int) -> tuple[Line, str]:
        thing = self.things[row]
        if isinstance(thing, str):
            return [(f" {thing}", "title")], ""
        marked = self.name_of(thing) in self.marked
        return self.draw_thing(thing, width, marked=marked), "band" if marked else ""

    def _named(self) -> dict[str, T]:
        return {self.name_of(thing): thing for thing in self.things if not isinstance(thing, str)}

    def _off_heading(self, row: int, step: int) -> int:
        """The nearest row that can be selected, first in the direction of `step`."""
        ahead = range(row, len(self.things)) if step > 0 else range(row, -1, -1)
        behind = range(row, -1, -1) if step > 0 else range(row, len(self.things))
        can = (at for at in (*ahead, *behind) if not isinstance(self.things[at], str))
        return next(can, row) if row < len(self.things) else row

    def _remember(self) -> None:
        """A key pressed while rows change places is about the thing it was pressed for."""
        if self.selected is not None:
            self._kept = self.name_of(self.selected)
