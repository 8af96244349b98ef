"""The list of a task's runs, the first one first."""

from app.tui.model.line import Line
from app.tui.model.race import candidate_line
from app.tui.widgets.kept_view import KeptView
from app.wire import RunRow


class RaceTable(KeptView[RunRow]):
    """Runs in; `Moved` out when another one is selected."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.now = 0.0

    def show(self, rows: tuple[RunRow, ...] | None, now: float) -> None:
        self.now = now
        self.empty = "asking the supervisor …" if rows is None else "there is no run"
        self.list_things(rows or ())

    def name_of(self, thing: RunRow) -> str:
        return thing.run.id

    def draw_thing(self, thing: RunRow, width: int, *, marked: bool) -> Line:
        del marked  # Nothing is marked here.
        return candidate_line(thing, width, self.now)
