"""The list of discarded runs, the newest first."""

from app.tui.model.line import Line
from app.tui.model.upkeep import discarded_line
from app.tui.widgets.kept_view import MARK, KeptView
from app.wire import RunRow


class TrashTable(KeptView[RunRow]):
    """Runs in; `Moved` out when another one is selected."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.now = 0.0

    def show(self, rows: tuple[RunRow, ...] | None, now: float) -> None:
        self.now = now
        self.empty = "the trash is empty" if rows is not None else "asking the supervisor …"
        self.list_things(rows or ())

    def name_of(self, thing: RunRow) -> str:
        return thing.run.id

    def draw_thing(self, thing: RunRow, width: int, *, marked: bool) -> Line:
        line = discarded_line(thing, width, self.now)
        return [(f" {MARK}", "key"), (line[0][0][2:], line[0][1]), *line[1:]] if marked else line
