"""Waiting that lets signals in.

Python runs signal handlers between its instructions. A signal that arrives when the main thread is
about to wait, and no longer between two of them, is seen only after the wait. One without end
would make Ctrl-C wait for the network; so all waits are cut into slices.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, TypeVar

SLICE = 0.2
"""Seconds; Ctrl-C has to work within one."""


_Result = TypeVar('_Result')


def result_of(future: Future[_Result]) -> _Result:
    """The result of a future, as long as it takes; raises what the future does."""
    wait_for_first([future], None)
    return future.result()


def wait_for_first(futures: Iterable[Future[Any]], timeout: float | None) -> set[Future[Any]]:
    """The futures that are done, when at least one is; none if it takes longer than ``timeout``.

    :param timeout: seconds; None to wait as long as it takes
    """
    futures = list(futures)
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        left = SLICE if end is None else min(SLICE, max(0.0, end - time.monotonic()))
        done = wait(futures, left, FIRST_COMPLETED).done
        if done or (end is not None and time.monotonic() >= end):
            return done
