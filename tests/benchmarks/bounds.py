"""A benchmark ends after a time, done or not, and whatever ends it ends all that it has started."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from tests.support.home import Home, home_at
from tests.support.leftovers import end_programs

Row: TypeAlias = tuple[str, float, str]


async def within(seconds: float, what: str, part: Coroutine[Any, Any, list[Row]]) -> list[Row]:
    """Its rows, or one that says that it took longer."""
    try:
        async with asyncio.timeout(seconds):
            return await part
    except TimeoutError:
        return [(f"{what}: NOT DONE within", seconds, "s")]


@contextlib.contextmanager
def ended(root: Path) -> Iterator[Home]:
    """A home of which nothing runs afterwards: agents outlive their supervisor."""
    with home_at(root) as home:
        try:
            yield home
        finally:
            # Who starts agents goes first; else another one might follow.
            home.end_supervisor()
            end_programs(home.root)


def limited(seconds: float, what: str, part: Callable[[], list[Row]]) -> list[Row]:
    """As `within`, for what does not await, in the main thread."""

    def late(_signal: int, _frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return part()
    except (TimeoutError, AssertionError):
        return [(f"{what}: NOT DONE within", seconds, "s")]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
