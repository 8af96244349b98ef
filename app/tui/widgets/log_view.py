"""A run's log: follows its end until the reader scrolls up, then says how much is new below."""

from app.tui.model.line import Line
from app.tui.model.transcript import Transcript
from app.tui.widgets.searched_view import SearchedView


class LogView(SearchedView):
    """A transcript in, drawn entry by entry; only entries that changed are laid out again."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.transcript: Transcript | None = None
        self.unfolded = False
        self.following = True
        self.new = 0
        """Lines below what is seen that the reader has not seen yet."""
        self._lines: list[Line] = []
        self._firsts: list[int] = []
        self._width = 0

    def show(self, transcript: Transcript | None) -> None:
        """Show this one; the same one again shows what is new in it."""
        if transcript is not self.transcript:
            self.transcript = transcript
            self.following, self.new = True, 0
            self._lay_out(0)
        elif transcript is not None:
            self._lay_out(transcript.changed)

    def unfold(self, *, unfolded: bool) -> None:
        self.unfolded = unfolded
        self._lay_out(0)

    def draw(self, row: int, width: int) -> tuple[Line, str]:
        return self._lines[row], ""

    def action_do(self, what: str) -> None:
        super().action_do(what)
        if what == "bottom":
            self._follow()

    def on_resize(self) -> None:
        if self.scrollable_content_region.width != self._width:
            self._lay_out(0)
        elif self.following:
            self._follow()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        at_end = round(new_value) >= self._last_top()
        if at_end != self.following and (at_end or new_value < old_value):
            self.following = at_end
        if at_end:
            self.new = 0

    def _lay_out(self, changed: int) -> None:
        """Lines of the entries from `changed` on; those before stay as they are."""
        self._width = self.scrollable_content_region.width
        entries = self.transcript.entries if self.transcript else []
        changed = min(changed, len(self._firsts))
        keep = self._firsts[changed] if changed < len(self._firsts) else len(self._lines)
        before = len(self._lines)
        del self._firsts[changed:], self._lines[keep:]
        for entry in entries[changed:]:
            self._firsts.append(len(self._lines))
            self._lines += entry.lines(self._width, unfolded=self.unfolded)
        if self.transcript:
            self.transcript.drawn()
        self.set_count(len(self._lines))
        if self.following:
            self._follow()
        else:
            self.new += max(0, len(self._lines) - before)

    def _follow(self) -> None:
        self.following, self.new = True, 0
        self.go_to(self._last_top())

    def _last_top(self) -> int:
        return max(0, self.count - self.scrollable_content_region.height)
