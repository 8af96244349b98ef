"""Wakes the threads that look for queued work when there is some, so that they can look seldom otherwise.

DBOS only polls: often enough for a person who waits, it keeps an idle machine busy. Its queue threads pause
by waiting for the event that tells them to end; that wait is what the bell cuts short. Should another
version pause in another way, or name its threads differently, the bell rings unheard and work is found at the
next look.
"""

import math
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final

SHORTEST_REST: Final = 0.5
"""A pause at least as long is one between two looks for work; only those are stretched."""
QUICK: Final = 0.05
LULL: Final = 0.5
"""A pause after a ring, as a part of the time since: what it was rung for may be committed a moment later."""
WORKER: Final = "queue-worker-"
"""How DBOS names the thread that looks into a queue, before the queue's name."""


class Bell:
    """Hangs on the events that end threads; `ring` from any thread."""

    def __init__(self, rest: float = 0.0) -> None:
        """`rest`: how many seconds the pause between two looks for work lasts at least, unless the bell rings."""
        self._rest = rest
        self._news = threading.Condition()
        self._everywhere = -math.inf
        self._rung: dict[str, float] = {}

    def ends(self) -> "list[threading.Event]":
        """A list for such events: whoever waits for one that is appended can be woken."""
        return _Ends(self._hang_on)

    def ring(self, *queues: str) -> None:
        """There is, or soon will be, something to do in these queues; or, where none is named, anywhere."""
        with self._news:
            now = time.monotonic()
            self._rung.update(dict.fromkeys(queues, now))
            if not queues:
                self._everywhere = now
            self._news.notify_all()

    def _hang_on(self, event: threading.Event) -> None:
        end = event.set
        event.wait = partial(self._wait, event)  # type: ignore[method-assign]
        event.set = partial(self._end, end)  # type: ignore[method-assign]

    def _wait(self, event: threading.Event, timeout: float | None = None) -> bool:
        """As `Event.wait`, but woken, and hurried for a while, by the bell."""
        with self._news:
            last = self._last()
            pause = self._pause(timeout, since=time.monotonic() - last)
            self._news.wait_for(lambda: event.is_set() or self._last() != last, pause)
        return event.is_set()

    def _last(self) -> float:
        """When it last rang for this thread."""
        queue = threading.current_thread().name.removeprefix(WORKER)
        return max(self._rung.get(queue, -math.inf), self._everywhere)

    def _pause(self, timeout: float | None, *, since: float) -> float | None:
        hurried = max(QUICK, LULL * since)
        if timeout is None:
            return hurried if hurried < math.inf else None
        return min(hurried, max(timeout, self._rest) if timeout > SHORTEST_REST else timeout)

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
