"""A run's log as a person reads it: events folded into entries, tool calls into one line each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from app.domain import events as own
from app.domain.events import Event
from app.domain.ids import RunId, task_of
from app.domain.money import dollars
from app.domain.review import CheckResult
from app.domain.run import RunState
from app.tui.model import show
from app.tui.model.line import LONGEST, Line, clip, one_line, wrap
from harnesses import events as agent

KEPT: Final = 20_000
"""Entries held for one run; the oldest fall off, the supervisor has them all."""
SAID: Final = 20_000
"""Characters held of one message; an agent may go on in it without an end."""
CUT: Final = "… (the rest is in the log: `swarm logs`)"
FOLDED: Final = 3
"""Lines of a failed tool's output that are shown without unfolding."""
KIND_CELLS: Final = 8


@dataclass(slots=True)
class Entry:
    """One thing that happened."""

    at: float
    kind: str
    """The word in front: `tool`, `says`, `asks`."""
    text: str
    ink: str = ""
    mark: str = ""
    """How it ended, behind the text: a sign and a few words."""
    mark_ink: str = "dim"
    detail: str = ""
    """What unfolds below."""
    id: str = ""
    """What later events name it by."""
    folds: bool = True
    """Only its first line is shown unless unfolded."""

    def say(self, text: str) -> None:
        """Go on with the text; what comes after `SAID` characters is not kept here."""
        self.text += text[: max(0, SAID - len(self.text))]
        if len(self.text) == SAID:
            self.text += CUT

    def lines(self, width: int, *, unfolded: bool) -> list[Line]:
        """The entry drawn at this width."""
        stamp = show.clock(self.at) + " " if width >= 60 else ""
        margin = 1 + len(stamp) + KIND_CELLS
        room = max(width - margin - 1, 8)
        texts = [one_line(self.text)] if self.folds and not unfolded else wrap(self.text, room)
        first: Line = [(" " + stamp, "dim"), (self.kind.ljust(KIND_CELLS), self.kind_ink())]
        lines = [[*first, *self._headed(texts[0], room if len(texts) == 1 else 0)]]
        lines += [[(" " * margin, ""), (text, self.ink)] for text in texts[1:]]
        for text in self._details(room, unfolded=unfolded):
            lines.append([(" " * margin, ""), ("│ ", "rule"), (text, "dim")])
        return lines

    def kind_ink(self) -> str:
        return {"asks": "ask", "says": "strong", "you": "strong", "failed": "bad"}.get(
            self.kind, "label"
        )

    def _headed(self, text: str, room: int) -> Line:
        """The text, and behind it how it ended, where both fit."""
        if not room or not self.mark:
            return [(clip(text, room) if room else text, self.ink)]
        mark = clip(one_line(self.mark), max(room // 2, 6))
        return [(clip(text, room - len(mark) - 2), self.ink), ("  " + mark, self.mark_ink)]

    def _details(self, room: int, *, unfolded: bool) -> list[str]:
        if not self.detail or not (unfolded or self.mark_ink == "bad"):
            return []
        texts = wrap(self.detail[-SAID:], room - 2)
        return texts if unfolded else texts[-FOLDED:]


@dataclass(slots=True)
class Transcript:
    """The entries of one run. `apply` is a fold: what it has seen once it ignores."""

    run: RunId
    entries: list[Entry] = field(default_factory=list)
    seq: int = 0
    spending: dict[str, own.Spent] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    plan: tuple[agent.PlanEntry, ...] = ()
    """What the agent means to do, as it said last."""
    dropped: int = 0
    """Entries that fell off at the front."""
    changed: int = 0
    """Index of the first entry that differs from what was drawn; see `drawn`."""
    _open: dict[str, int] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        if event.run != self.run or event.seq <= self.seq:
            return
        self.seq = event.seq
        match event.body:
            case agent.MessageChunk() | agent.ThoughtChunk():
                self._say(event.at, event.body)
            case agent.ToolCallUpdate():
                self._update(event.body)
            case own.Spent():
                self._spend(event.at, event.body)
            case body:
                if isinstance(body, agent.PlanUpdated):
                    self.plan = body.entries
                if entry := described(event.at, body):
                    self._add(entry)

    def drawn(self) -> None:
        """Everything up to now is on the screen."""
        self.changed = len(self.entries)

    def last_words(self) -> str:
        """What the agent said last."""
        said = (entry.text for entry in reversed(self.entries) if entry.kind == "says")
        return next(said, "")

    def _add(self, entry: Entry) -> None:
        if len(self.entries) >= KEPT:
            gone = KEPT // 4
            del self.entries[:gone]
            self.dropped += gone
            self.changed = 0
            self._open = {key: at - gone for key, at in self._open.items() if at >= gone}
        self.entries.append(entry)
        if entry.id:
            self._open[entry.id] = len(self.entries) - 1

    def _touch(self, index: int) -> Entry:
        self.changed = min(self.changed, index)
        return self.entries[index]

    def _say(self, at: float, body: agent.MessageChunk | agent.ThoughtChunk) -> None:
        thought = isinstance(body, agent.ThoughtChunk)
        kind = "thinks" if thought else "says"
        last = len(self.entries) - 1
        if last >= 0 and self.entries[last].kind == kind and self.entries[last].id == body.message:
            entry = self._touch(last)
            entry.say(body.text)
            return
        ink = "thought" if thought else ""
        entry = Entry(at, kind, "", ink=ink, id=body.message, folds=thought)
        entry.say(body.text)
        self._add(entry)

    def _update(self, body: agent.ToolCallUpdate) -> None:
        index = self._open.get(body.id)
        if index is None or body.status == "in_progress":
            return
        entry = self._touch(index)
        lines = body.output.strip().splitlines()
        entry.detail = body.output.strip()
        entry.mark = "✗" if body.status == "failed" else "✓"
        entry.mark_ink = "bad" if body.status == "failed" else "good"
        if lines and len(lines[-1]) <= LONGEST:
            entry.mark += " " + one_line(lines[-1])

    def _spend(self, at: float, body: own.Spent) -> None:
        before = self.spending.get(body.model)
        self.calls[body.model] = self.calls.get(body.model, 0) + 1
        self.spending[body.model] = body if before is None else _sum(before, body)
        self._add(spent_entry(at, body))


def described(at: float, body: own.Body) -> Entry | None:
    """The entry of an event that stands for itself; None when it does not show."""
    match body:
        case agent.ToolCall():
            return Entry(at, _tool_word(body.tool), body.title, id=body.id)
        case agent.PlanUpdated():
            steps = "\n".join(f"{_BOX[step.status]} {step.text}" for step in body.entries)
            return Entry(at, "plans", plan_words(body.entries), detail=steps)
        case agent.PermissionAsked():
            return Entry(at, "asks", body.title, ink="ask", detail=body.input)
        case agent.MessageTaken():
            return Entry(at, "hears", "what you said")
        case agent.SessionStarted():
            return Entry(at, "starts", " ".join(filter(None, (body.model, body.version))))
        case agent.TurnEnded(error=error) if error:
            return Entry(at, "failed", error, ink="bad", folds=False)
        case agent.Unreadable():
            return Entry(at, "raw", body.line, ink="dim", detail=body.why)
        case _:
            return own_entry(at, body)


def own_entry(at: float, body: own.Body) -> Entry | None:  # noqa: C901, PLR0911, PLR0912 - a case for each kind
    """The entry of what swarm itself did."""
    match body:
        case own.TurnStarted():
            return Entry(at, "you", body.prompt, detail=body.prompt)
        case own.StateChanged():
            # That it waits is told by the question itself.
            return None if body.state is RunState.WAITING else _state_entry(at, body)
        case own.Snapshotted():
            counted = f"{show.changed(body.insertions, body.deletions)} in {_files(body.files)}"
            return Entry(at, "saved", counted if body.files else "nothing is changed", ink="dim")
        case own.Checked():
            return _check_entry(at, "check", body.result)
        case own.SetUp():
            return _check_entry(at, body.phase, body.result)
        case own.Refused():
            return Entry(at, "refused", body.why, ink="warn", folds=False)
        case own.Warned():
            return Entry(at, "budget", body.words(), ink="warn", folds=False)
        case own.UpstreamFailed():
            return Entry(at, "models", body.words(), ink="warn", folds=False)
        case own.Flagged():
            return Entry(at, "flagged", body.words(), ink="warn", folds=False)
        case own.Answered():
            return Entry(at, "answer", f"{body.answer}, says {body.by or 'somebody'}")
        case own.ReviewOpened():
            words = "the change is ready to be looked at"
            if body.conflicts:
                words = f"conflicts in {_files(len(body.conflicts))}"
            return Entry(at, "review", words, detail="\n".join(body.conflicts))
        case own.Decided():
            return Entry(at, "verdict", f"{body.verdict}, says {body.by or 'somebody'}")
        case own.Merged():
            return Entry(at, "merged", f"{body.commit[:10]} on {body.target}", ink="good")
        case own.Note():
            ink = {"info": "dim", "warning": "warn", "error": "bad"}[body.level]
            return Entry(at, "note", body.text, ink=ink, folds=False)
        case _:
            return None


def spent_entry(at: float, body: own.Spent) -> Entry:
    parts = f"{body.model}  in {show.amount(body.input + body.cache_read + body.cache_write)}"
    parts += f" out {show.amount(body.output)}"
    if body.cache_read:
        whole = body.input + body.cache_read + body.cache_write
        parts += f" cache {round(100 * body.cache_read / whole)}%"
    if body.known == "held":
        parts += " (usage never came: charged whole)"
    return Entry(at, "model", parts, ink="dim", mark=dollars(body.micros))


def news(event: Event, width: int) -> Line | None:
    """The event as a line among those of all runs; None when it is not news for somebody who watches many."""
    entry = described(event.at, event.body)
    if entry is None or entry.kind in {"model", "saved", "starts", "raw"}:
        return None
    head = [(f" {show.clock(event.at)} ", "dim"), (f"{task_of(event.run):<7}", "label")]
    text = clip(one_line(entry.text), max(width - 26, 8))
    return [*head, (f"{entry.kind:<{KIND_CELLS}}", entry.kind_ink()), (text, entry.ink or "")]


def plan_lines(plan: Sequence[agent.PlanEntry], width: int, *, most: int) -> list[Line]:
    """The plan, a step a line; where it is too long, from the last step that is done."""
    first = max(0, min(_done(plan) - 1, len(plan) - most + 1)) if len(plan) > most else 0
    lines: list[Line] = [[(f" … {first} before", "dim")]] if first else []
    for step in plan[first : first + most - len(lines)]:
        sign, ink = _BOX[step.status], _BOX_INK[step.status]
        text_ink = {"completed": "dim", "in_progress": "bright", "pending": ""}[step.status]
        lines.append([(f" {sign} ", ink), (clip(one_line(step.text), width - 4), text_ink)])
    return lines


def plan_words(plan: Sequence[agent.PlanEntry]) -> str:
    return f"{_done(plan)} of {len(plan)} steps"


def _done(plan: Sequence[agent.PlanEntry]) -> int:
    return sum(step.status == "completed" for step in plan)


_BOX_INK: Final = {"pending": "dim", "in_progress": "work", "completed": "good"}
_BOX: Final = {"pending": "·", "in_progress": "▸", "completed": "✓"}
_TOOL_WORDS: Final = {"execute": "runs", "search": "looks", "read": "reads", "edit": "edits"}


def _tool_word(tool: str) -> str:
    return _TOOL_WORDS.get(tool, "tool")


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _state_entry(at: float, body: own.StateChanged) -> Entry:
    sign, word, ink = show.WORDS[body.state]
    text = f"{sign} {word}" + (f": {body.reason}" if body.reason else "")
    return Entry(at, "now", text, ink=ink, folds=False)


def _check_entry(at: float, kind: str, result: CheckResult) -> Entry:
    mark = f"{'✓' if result.passed else '✗'} {result.seconds:.1f}s"
    if result.code:
        mark += f", exit {result.code}"
    ink = "good" if result.passed else "bad"
    return Entry(at, kind, result.command, mark=mark, mark_ink=ink, detail=result.tail.strip())


def _sum(one: own.Spent, two: own.Spent) -> own.Spent:
    return own.Spent(
        micros=one.micros + two.micros,
        total=two.total,
        model=two.model,
        input=one.input + two.input,
        output=one.output + two.output,
        cache_read=one.cache_read + two.cache_read,
        cache_write=one.cache_write + two.cache_write,
    )
