"""The time as B2 writes it."""

from __future__ import annotations

import time


def current_time_millis() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000
