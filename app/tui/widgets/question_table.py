"""The list of open questions, who waits longest first."""

from collections.abc import Mapping, Sequence

from app.domain.ids import RunId
from app.domain.review import Approval
from app.tui.model.inbox import question_line
from app.tui.model.line import Line
from app.tui.widgets.kept_view import KeptView
from app.wire import RunRow


class QuestionTable(KeptView[Approval]):
    """Questions in; `Moved` out when another one is selected."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.rows: Mapping[RunId, RunRow] = {}
        self.now = 0.0

    def show(
        self,
        questions: Sequence[Approval],
        rows: Mapping[RunId, RunRow],
        now: float,
        *,
        loaded: bool,
    ) -> None:
        self.rows, self.now = rows, now
        self.empty = "no agent asks anything" if loaded else "asking the supervisor …"
        self.list_things(questions)

    def name_of(self, thing: Approval) -> str:
        return thing.id

    def draw_thing(self, thing: Approval, width: int, *, marked: bool) -> Line:
        return question_line(thing, self.rows.get(thing.run), width, self.now, marked=marked)
