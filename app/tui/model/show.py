"""How numbers, times and states read on the screen."""

import time
from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

from app.domain.money import Micros
from app.domain.review import FileChange
from app.domain.run import RunState
from app.wire import RunRow

_S = RunState

WORDS: Final[dict[RunState, tuple[str, str, str]]] = {
    _S.QUEUED: ("·", "queued", "dim"),
    _S.PREPARING: ("▸", "preparing", "work"),
    _S.WORKING: ("▸", "working", "work"),
    _S.WAITING: ("!", "asks you", "ask"),
    _S.CHECKING: ("▸", "checking", "work"),
    _S.IN_REVIEW: ("?", "review", "review"),
    _S.MERGING: ("▸", "merging", "work"),
    _S.MERGED: ("✓", "merged", "good"),
    _S.PARKED: ("‖", "parked", "warn"),
    _S.FAILED: ("✗", "failed", "bad"),
    _S.CANCELLED: ("×", "stopped", "dim"),
    _S.DISCARDED: ("×", "discarded", "dim"),
}
"""Of each state: its sign, its word and its ink. The word carries the meaning; the colour repeats it."""

BAR: Final = "█"
TROUGH: Final = "░"


def name(row: RunRow) -> str:
    """The task's id, with the run's number from the second run on."""
    return row.task.id if row.run.number == 1 else row.run.id


def repository(row: RunRow) -> str:
    """The name of the task's repository, without the way to it."""
    return PurePath(row.task.repo).name


def state_of(row: RunRow) -> RunState:
    """The state as a person sees it: an open question comes first, whatever the agent does meanwhile."""
    return _S.WAITING if row.question is not None else row.run.state


def state_words(row: RunRow) -> str:
    """The state's word; of a working run what it does instead; of a review whether its checks passed."""
    state = state_of(row)
    word = WORDS[state][1]
    if state is _S.WORKING and row.activity:
        return brief(row.activity)
    if state is _S.IN_REVIEW and row.checks:
        return word + (" ✓" if all(check.passed for check in row.checks) else " ✗ checks")
    return word


def brief(activity: str) -> str:
    """A tool call in the width of a column: of a command the command, of a file its name."""
    tool, colon, rest = activity.partition(": ")
    if not colon or not tool.isalpha():
        return activity
    if tool == "Bash" or " " in rest.strip():
        return rest
    return f"{tool.lower()} {rest.rpartition('/')[2] or rest}"


def age(seconds: float) -> str:
    """`9s`, `12m`, `3h`, `4d`: never more than three cells and a unit."""
    seconds = max(0.0, seconds)
    if seconds < 60:
        return f"{int(seconds)}s"
    if seconds < 3600:
        return f"{int(seconds / 60)}m"
    if seconds < 48 * 3600:
        return f"{int(seconds / 3600)}h"
    return f"{int(seconds / 86400)}d"


def amount(count: int) -> str:
    """`830`, `12.4k`, `2.4M`: tokens."""
    if count < 1000:
        return str(count)
    if count < 1_000_000:
        return f"{count / 1000:.1f}k" if count < 100_000 else f"{count // 1000}k"
    return f"{count / 1_000_000:.1f}M"


def clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


def bar(part: float, whole: float, width: int) -> tuple[str, str]:
    """The filled and the empty piece of a bar."""
    share = min(1.0, part / whole) if whole > 0 else 0.0
    filled = round(share * width) or (1 if part > 0 else 0)
    return BAR * filled, TROUGH * (width - filled)


def changed(insertions: int, deletions: int) -> str:
    return f"+{insertions} -{deletions}" if insertions or deletions else "–"


def in_files(files: Sequence[FileChange]) -> str:
    """`+3 -1 in 2 files`."""
    total = changed(sum(each.insertions for each in files), sum(each.deletions for each in files))
    return f"{total} in {len(files)} file" + ("" if len(files) == 1 else "s")


def nothing() -> Micros:
    return Micros(0)
