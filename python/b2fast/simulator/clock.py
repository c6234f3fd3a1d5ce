"""The simulator's time."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

#: Returns the time in milliseconds since 1970 UTC.
Clock = Callable[[], int]

#: Milliseconds.
DAY = 24 * 3600 * 1000


def system_clock() -> int:
    """Returns the machine's time in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class AdjustableClock:
    """A clock that can be moved forward. Safe for several threads.

    :param base: the clock that it is ahead of.
    """

    def __init__(self, base: Clock) -> None:
        self._base = base
        self._ahead = 0
        self._lock = Lock()

    def __call__(self) -> int:
        """Returns the time in milliseconds since 1970 UTC."""
        return self._base() + self._ahead

    def advance(self, milliseconds: int) -> None:
        """Moves the clock forward."""
        with self._lock:
            self._ahead += milliseconds
