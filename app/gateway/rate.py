"""How often something happens, to tell loops from work."""

from collections import deque


class Rate:
    """How often it happened within the last minute."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque()

    def count(self, now: float) -> int:
        """It happens, at that second of a clock that does not run back; how often in a minute that makes."""
        self._recent.append(now)
        while self._recent[0] <= now - 60:
            self._recent.popleft()
        return len(self._recent)
