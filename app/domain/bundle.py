"""A bundle: what one run hands to the next, as files; and how much of it stands in the prompt."""

from collections.abc import Iterator, Sequence
from typing import Final

from app.domain.base import Value


class Part(Value, frozen=True, kw_only=True):
    """One file."""

    name: str
    """For example `DIFF.patch`."""
    body: bytes
    left_out: int = 0
    """Bytes of it that were too many to be kept."""


TITLES: Final = {
    "TRIED.md": "What was tried",
    "DECISIONS.md": "What people decided meanwhile",
    "CHECK.txt": "What failed",
    "REVIEW.md": "What the review says",
    "DIFF.patch": "The change as it was left",
}
"""In the order of the prompt. The brief is the prompt itself."""
_LEAST: Final = 400
"""Bytes of a part below which it is only named."""


def prompt(goal: str, parts: Sequence[Part], limit: int) -> str:
    """The goal, and after it as much of the bundle as fits into `limit` bytes; the diff is cut first."""
    told = [part for name in TITLES for part in parts if part.name == name and part.body.strip()]
    if not told:
        return goal
    return "\n\n".join([goal, _INTRODUCTION, *_sections(told, limit, " in $SWARM_BUNDLE/{}")])


def reminder(asked: str, goal: str, parts: Sequence[Part], limit: int) -> str:
    """What is asked of an agent that does not remember the run: with it the goal, and what is known of its work.

    The diff is left out: its files are as they were left. Said of a prompt that has it already, that prompt.
    """
    if FORGOTTEN in asked:
        return asked
    task = "" if goal in asked else f"The task was: {goal}"
    known = [p for name in TITLES for p in parts if p.name == name != "DIFF.patch"]
    return "\n\n".join(filter(None, [asked, task, FORGOTTEN, *_sections(known, limit, "")]))


def _sections(parts: Sequence[Part], limit: int, where: str) -> Iterator[str]:
    """A chapter for each; what is too much is counted, and said to be `where` if it is anywhere."""
    left = limit
    for part in parts:
        text = part.body.decode(errors="replace").strip()
        cut = _cut(text, left)
        left -= len(cut.encode())
        missing = len(text.encode()) - len(cut.encode()) + part.left_out
        more = f"\n[{missing} bytes more{where.format(part.name)}]" if missing > 0 else ""
        yield f"## {TITLES[part.name]}\n\n{_fenced(part.name, cut)}{more}"


_INTRODUCTION: Final = (
    "Others have worked on this before you, and did not finish. The files are as they were before them; what "
    "they left stands below, and whole in the directory $SWARM_BUNDLE. Use what is good of it: their change can "
    "be taken over with `git apply $SWARM_BUNDLE/DIFF.patch`. Do not repeat what failed."
)

FORGOTTEN: Final = (
    "You have worked on this before, in a conversation that is lost. The files are as you left them. "
    "This is known of it:"
)


def _cut(text: str, left: int) -> str:
    """The beginning of it, in whole lines, or nothing where hardly any would fit."""
    if len(text.encode()) <= left:
        return text
    if left < _LEAST:
        return ""
    kept = text.encode()[:left].decode(errors="ignore")
    return kept.rpartition("\n")[0] or kept


def _fenced(name: str, text: str) -> str:
    if name.endswith(".md") or not text:
        return text
    marks = "`" * 3
    while marks in text:
        marks += "`"
    return f"{marks}{'diff' if name.endswith('.patch') else ''}\n{text}\n{marks}"
