"""The lines around the content: header, footer, titles."""

from dataclasses import dataclass
from typing import ClassVar, Final

from textual.reactive import reactive
from textual.widget import Widget

from app.domain.money import dollars
from app.domain.run import RunState
from app.tui.actions import Place
from app.tui.keymap import footer
from app.tui.model import show
from app.tui.model.costs import pace_line
from app.tui.model.fleet import RANKS, Counts
from app.tui.model.line import Line, Span, fit, line_cells, spread
from app.tui.model.purse import Pace
from app.tui.widgets.paint import Drawn

ROOMY: Final = 78
"""Cells from which on every view of a run is named, not only the one that is seen."""
NARROW: Final = 60
"""Cells below which what needs a person has the room that names would take."""
_NOTHING: Final = Counts(0, {}, show.nothing(), show.nothing())
_NO_PACE: Final = Pace()
_WARNINGS: Final = {"none": " NO SANDBOX ", "namespaces": " NO CONTAINER "}
"""What stays on the screen when agents are not in containers, by the isolation there is."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What the header says."""

    repo: str = ""
    counts: Counts = _NOTHING
    sandbox: str = ""
    isolation: str = ""
    gone: tuple[Span, ...] = ()
    """What is said while the supervisor does not answer."""
    clock: str = ""
    pace: Pace = _NO_PACE


def heading_lines(heading: Heading, width: int, height: int = 2) -> list[Line]:
    """Counts and connection; below, spend against what may be spent."""
    left: Line = [(" swarm", "brand")]
    if width >= NARROW:
        left += [(f"  {heading.repo}", "bright"), (f"   {_runs(heading.counts.runs)}", "dim")]
    left += _state_counts(heading.counts, short=width < 110)
    first = spread(left, _connection(heading, narrow=width < NARROW), width)
    pace = pace_line(heading.pace)
    # Where both have no room, the bar goes: it says again what the share says.
    second = _spend(heading.counts, width, bar=not pace or width >= 100)
    return [first, spread(second, [*pace, (" ", "")], width) if pace else second][:height]


class Header(Drawn):
    """Two lines, one where the screen is low."""

    DEFAULT_CSS = "Header { height: 2; background: $swarm-band; }"
    heading: reactive[Heading] = reactive(Heading())

    def lines(self, width: int) -> list[Line]:
        return heading_lines(self.heading, width, self.size.height)


class Footer(Drawn):
    """The keys that make sense here and now."""

    DEFAULT_CSS = "Footer { height: 1; dock: bottom; background: $swarm-band; }"
    place: reactive[Place] = reactive[Place]("board")
    state: reactive[RunState | None] = reactive[RunState | None](None)
    without: reactive[tuple[str, ...]] = reactive[tuple[str, ...]](())
    """Actions that are not possible now, whatever the state."""

    def lines(self, width: int) -> list[Line]:
        return [footer(self.place, self.state, width, self.without)]


class Title(Drawn):
    """Names what stands below it, with something at its right end."""

    title: reactive[str] = reactive("")
    aside: reactive[str] = reactive("")
    lit: reactive[bool] = reactive(default=False)
    """Whether what it stands above has the focus."""

    @property
    def ink(self) -> str:
        """What the title is drawn with."""
        return "brand" if self.lit else "title"

    @staticmethod
    def above(widget: Widget | None) -> "Title | None":
        """The last one before that widget, beside it."""
        found = None
        for each in widget.parent.children if widget is not None and widget.parent else ():
            if each is widget:
                return found
            found = each if isinstance(each, Title) else found
        return None


class Rule(Title):
    """A title on a line."""

    def lines(self, width: int) -> list[Line]:
        left: Line = [("─ ", "rule"), (self.title, self.ink), (" ", "")] if self.title else []
        right: Line = [(f" {self.aside} ", "dim"), ("─", "rule")] if self.aside else []
        return [ruled(left, right, width)]


class Tabs(Title):
    """A title that names the views below it, with the number that shows each."""

    NAMES: ClassVar[tuple[str, ...]] = (
        *("log", "diff", "files", "cost", "network", "checks", "why"),
    )
    active: reactive[str] = reactive("log")

    def lines(self, width: int) -> list[Line]:
        left: Line = [("─ ", "rule"), (self.title, self.ink), (" ", "")]
        right: Line = [(f" {self.aside} ", "ask"), ("──", "rule")] if self.aside else []
        spelt = width >= ROOMY
        for number, name in enumerate(self.NAMES, 1):
            on = name == self.active
            word = f" {number} {name.capitalize()} " if on or spelt else f" {number} "
            right.append((f"[{word.strip()}]" if on else word, "strong" if on else "dim"))
        return [ruled(left, [*right, ("─", "rule")], width)]


class Written(Drawn):
    """Lines given whole."""

    text: reactive[tuple[Line, ...]] = reactive[tuple[Line, ...]](())

    def lines(self, width: int) -> tuple[Line, ...]:
        return self.text


def ruled(left: Line, right: Line, width: int) -> Line:
    """Both ends, and a rule between them."""
    gap = width - line_cells(left) - line_cells(right)
    if gap < 1:
        return spread(left, right, width)
    return [*left, ("─" * gap, "rule"), *right]


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _state_counts(counts: Counts, *, short: bool) -> Line:
    """`1 ! asks you   4 ▸ working`; only the signs where there is little room."""
    merged: dict[str, tuple[int, str, str]] = {}
    for state in sorted(counts.states, key=lambda state: RANKS[state]):
        sign, word, ink = show.WORDS[state]
        word = "working" if sign == "▸" else word
        before = merged.get(word, (0, sign, ink))[0]
        merged[word] = (before + counts.states[state], sign, ink)
    line: Line = []
    for word, (number, sign, ink) in merged.items():
        line.append((f"  {number}{sign}" if short else f"   {number} {sign} {word}", ink))
    return line


def _connection(heading: Heading, *, narrow: bool) -> Line:
    warning = _WARNINGS.get(heading.isolation, "")
    line: Line = [(warning, "hot")] if warning else []
    if heading.gone:
        return [*line, *heading.gone, (" ", "")]
    place = "" if narrow else f" {heading.sandbox} "
    return [*line, (f"{place} {heading.clock} ", "dim")]


def _spend(counts: Counts, width: int, *, bar: bool) -> Line:
    text = f" spent {dollars(counts.spent)}"
    if not counts.budget:
        return [(text, "dim")]
    share = round(100 * counts.spent / counts.budget)
    full, empty = show.bar(counts.spent, counts.budget, min(max(width // 5, 8), 32))
    text = fit(f"{text} of at most {dollars(counts.budget)}", 32)
    ink = "warn" if share >= 80 else "bar"
    if not bar:
        return [(f"{text.rstrip()}  {share}%", "dim" if ink == "bar" else ink)]
    return [(text, "dim"), (full, ink), (empty, "trough"), (f"  {share}%", "dim")]
