"""Keys typed ahead: what has just appeared does not hear them, so none of them can decide anything."""

import time
from typing import Final

SECONDS: Final = 0.3


class Deafness:
    """Begins when something appears or gets the focus, and passes by itself."""

    def __init__(self) -> None:
        self._until = 0.0

    def begin(self) -> None:
        self._until = time.monotonic() + SECONDS

    def over(self) -> bool:
        return time.monotonic() >= self._until
