"""The locale of the process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LOCALE_LOCK = threading.Lock()


@contextmanager
def setlocale(name: str) -> Iterator[str]:
    """Set the locale of the whole process for the time of a block; gives its name.

    One thread at a time has its block; code that does not use this function sees the change.

    :raises locale.Error: if the system does not have the locale.
    """
    import locale

    with LOCALE_LOCK:
        saved = locale.setlocale(locale.LC_ALL)
        try:
            yield locale.setlocale(locale.LC_ALL, name)
        finally:
            locale.setlocale(locale.LC_ALL, saved)
