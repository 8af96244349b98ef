"""An open question, an agent's or swarm's own. It is answered only with the focus, and not by keys typed ahead."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive

from app.domain.review import Approval, Scope
from app.tui.keymap import bindings
from app.tui.model.asked import changed_lines
from app.tui.model.line import Line, one_line, wrap
from app.tui.widgets.bars import ruled
from app.tui.widgets.deaf import Deafness
from app.tui.widgets.paint import Drawn

_SCOPES: Final[Mapping[str, Scope]] = {"yes": "once", "for_run": "run", "always": "always"}
"""How far each yes reaches."""
SHOWN: Final = 3
"""Lines of an edit that the card has room for; the inbox shows all."""
_OF_AGENTS: Final = ("always", "for_run")
"""What can be answered to an agent only: no rule is made of what swarm itself asks."""


class QuestionCard(Drawn, can_focus=True):
    """A question in, `Answer` or `Left` out. Agents can draw nothing here but their question's words."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("question")]
    DEFAULT_CSS = """
    QuestionCard { height: auto; max-height: 8; background: $swarm-band; display: none; }
    QuestionCard.-asks { display: block; }
    """
    question: reactive[Approval | None] = reactive[Approval | None](None, layout=True)

    @dataclass
    class Answer(Message):
        """A person decided."""

        question: Approval
        yes: bool
        because: bool
        """Whether they want to say why."""
        scope: Scope = "once"

    class Left(Message):
        """Nobody is at the question any more: it stays open for now, or it is answered."""

    def __init__(self) -> None:
        super().__init__()
        self._deafness = Deafness()

    def watch_question(self, old: Approval | None, new: Approval | None) -> None:
        if new is None and self.has_focus:
            # Else the focus would go to whatever stands next to it.
            self.post_message(self.Left())
        self.set_class(new is not None, "-asks")
        if new is not None and (old is None or old.id != new.id):
            self._be_deaf()

    def on_focus(self) -> None:
        self._be_deaf()

    def action_do(self, what: str) -> None:
        if self.question is None:
            return
        if what == "leave":
            self.post_message(self.Left())
        elif what not in self.withheld and self._deafness.over():
            yes = what in _SCOPES
            scope = _SCOPES.get(what, "once")
            self.post_message(self.Answer(self.question, yes, what == "no_because", scope))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self.lines(width))

    @property
    def withheld(self) -> tuple[str, ...]:
        """Answers that this question does not take."""
        return _OF_AGENTS if self.question is not None and self.question.own else ()

    def lines(self, width: int) -> list[Line]:
        asked = self.question
        if asked is None:
            return []
        hint = "" if self.has_focus else "a or tab: answer here"
        ink = "ask" if self.has_focus else "title"
        aside: Line = [(f" {hint} " if hint else "", "dim"), ("─", "rule")]
        who = "swarm" if asked.own else "the agent"
        return [ruled([("─ ", "rule"), (f"{who} asks ", ink)], aside, width), *_body(asked, width)]

    def _be_deaf(self) -> None:
        self._deafness.begin()
        self.refresh(layout=True)


def _body(asked: Approval, width: int) -> list[Line]:
    """What is asked, in what words, and why a person is."""
    lines: list[Line] = [[(" " + text, "strong")] for text in wrap(asked.title, width - 2)[:2]]
    detail, changed = one_line(asked.detail), changed_lines(asked.detail, width - 2)
    if changed:
        lines += [[(" ", ""), *line] for line in changed[:SHOWN]]
        more = len(changed) - SHOWN
        lines += [[(f" … and {more} lines more: I shows all", "dim")]] if more > 0 else []
    elif detail and detail != one_line(asked.title):
        label = " " if asked.own else f" {asked.action}: "
        lines.append([(label, "dim"), (detail, "")])
    if not all(path in asked.detail for path in asked.paths):
        lines.append([(" " + "  ".join(map(one_line, asked.paths)), "dim")])
    if asked.reason:
        lines.append([(" why you: " + one_line(asked.reason), "dim")])
    return lines
