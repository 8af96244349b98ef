"""Every open question of every agent: as the supervisor listed them, and the events since, folded in."""

from collections.abc import Iterable

from app.domain.events import Answered, Asked, Event, StateChanged
from app.domain.ids import ApprovalId, task_of
from app.domain.review import Approval
from app.domain.run import SETTLED
from app.tui.model import show
from app.tui.model.asked import input_lines
from app.tui.model.line import Line, fit, one_line, right, wrap
from app.wire import RunRow


class Inbox:
    """A question is answered once: what was seen answered never comes back, whoever still lists it."""

    def __init__(self) -> None:
        self.loaded = False
        self.stale = True
        """There is something only the supervisor can tell whole: load again."""
        self._open: dict[ApprovalId, Approval] = {}
        self._answered: set[ApprovalId] = set()

    @property
    def questions(self) -> list[Approval]:
        """Who has waited longest comes first."""
        return sorted(self._open.values(), key=lambda asked: (asked.opened, asked.id))

    def load(self, questions: Iterable[Approval]) -> None:
        self._open = {asked.id: asked for asked in questions if asked.id not in self._answered}
        self.loaded, self.stale = True, False

    def apply(self, event: Event) -> bool:
        """Fold one event in; says whether the list is different now, or has to be asked for."""
        match event.body:
            case Asked(approval=asked) if asked not in self._open and asked not in self._answered:
                self.stale = True
                return True
            case Answered(approval=asked):
                self._answered.add(asked)
                return self._open.pop(asked, None) is not None
            case StateChanged(state=state) if state in SETTLED:
                self.stale |= any(asked.run == event.run for asked in self._open.values())
                return self.stale
            case _:
                return False


def question_line(
    asked: Approval, row: RunRow | None, width: int, now: float, *, marked: bool
) -> Line:
    """Whose question, how long it waits, and what it is."""
    agent = one_line(row.run.agent) if row else ""
    line: Line = [(f" !{'●' if marked else ' '}", "ask"), (fit(name(asked, row), 8), "dim")]
    if width >= 72:
        line.append((fit(agent, 12), "dim"))
    line.append((right(show.age(now - asked.opened), 4) + "  ", "dim"))
    room = max(width - sum(len(text) for text, _ink in line), 8)
    return [*line, (fit(one_line(asked.title), room), "bright")]


def question_lines(asked: Approval, row: RunRow | None, width: int) -> list[Line]:
    """All of it: nothing that would happen is cut."""
    lines = [[(" " + text, "strong")] for text in wrap(asked.title, width - 2)]
    if asked.detail and one_line(asked.detail) != one_line(asked.title):
        for number, line in enumerate(input_lines(asked.detail, width - 11)):
            label = asked.action if number == 0 else ""
            lines.append([(f" {label:<9}", "label"), *line])
    for label, value in (
        ("files", "\n".join(asked.paths)),
        ("why you", asked.reason),
        ("until", f"{show.clock(asked.deadline)}, then the answer is no" if asked.deadline else ""),
        ("task", row.task.goal if row else ""),
        ("agent", f"{row.run.agent}  turn {asked.turn}" if row else f"turn {asked.turn}"),
    ):
        texts = wrap(value, width - 11) if value else []
        lines += [
            [(f" {label if number == 0 else '':<9}", "label"), (text, "")]
            for number, text in enumerate(texts)
        ]
    return lines


def name(asked: Approval, row: RunRow | None) -> str:
    return show.name(row) if row is not None else str(task_of(asked.run))
