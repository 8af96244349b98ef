"""Wakes the threads that look for queued work when there is some, so that they can look seldom otherwise.

DBOS only polls: often enough for a person who waits, it keeps an idle machine busy. Its queue threads pause
by waiting for the event that tells them to end; that wait is what the bell cuts short. Should another
version pause in another way, the bell rings unheard and work is found at the next look.
"""

import threading
import time
from collections.abc import Callable
from functools import partial

SHORTEST_REST = 0.5
"""A pause at least as long is one between two looks for work; only those are stretched."""
RUSH_SECONDS = 1.0
"""How long after a ring they look often: what it was rung for may not be committed yet."""
QUICK = 0.05


class Bell:
    """Hangs on the events that end threads; `ring` from any thread."""

    def __init__(self, rest: float = 0.0) -> None:
        """`rest`: how many seconds the pause between two looks for work lasts at least, unless the bell rings."""
        self._rest = rest
        self._news = threading.Condition()
        self._rush_until = 0.0

    def ends(self) -> "list[threading.Event]":
        """A list for such events: whoever waits for one that is appended can be woken."""
        return _Ends(self._hang_on)

    def ring(self, seconds: float = RUSH_SECONDS) -> None:
        """There is, or soon will be, something to do."""
        with self._news:
            self._rush_until = max(self._rush_until, time.monotonic() + seconds)
            self._news.notify_all()

    def _hang_on(self, event: threading.Event) -> None:
        end = event.set
        event.wait = partial(self._wait, event)  # type: ignore[method-assign]
        event.set = partial(self._end, end)  # type: ignore[method-assign]

    def _wait(self, event: threading.Event, timeout: float | None = None) -> bool:
        """As `Event.wait`, but woken, and hurried, by the bell."""
        with self._news:
            if not event.is_set():
                rush = time.monotonic() < self._rush_until
                if timeout is not None and timeout > SHORTEST_REST:
                    timeout = max(timeout, self._rest)
                self._news.wait(QUICK if rush and (timeout is None or timeout > QUICK) else timeout)
        return event.is_set()

    def _end(self, end: Callable[[], None]) -> None:
        with self._news:
            end()
            self._news.notify_all()


def stretch(event: threading.Event, seconds: float) -> None:
    """Let the thread that pauses by waiting for this event, which ends it, pause so long at least."""
    wait = event.wait

    def longer(timeout: float | None = None) -> bool:
        return wait(None if timeout is None else max(timeout, seconds))

    event.wait = longer  # type: ignore[method-assign]


class _Ends(list[threading.Event]):
    """Events are hung on before the threads that wait for them start."""

    def __init__(self, hang_on: Callable[[threading.Event], None]) -> None:
        super().__init__()
        self._hang_on = hang_on

    def append(self, event: threading.Event) -> None:
        self._hang_on(event)
        super().append(event)
