"""The order in which a person wants to see runs: what needs them first."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from app.wire import RunRow

NEED: Final = (
    "waiting",
    "in_review",
    "failed",
    "parked",
    "merging",
    "checking",
    "working",
    "preparing",
    "queued",
    "merged",
    "cancelled",
    "discarded",
)


def by_need(rows: "Iterable[RunRow]") -> "list[RunRow]":
    """Sorted by state, the newest first among equals."""
    return sorted(rows, key=lambda row: (NEED.index(row.run.state), -row.run.created))
