"""The lane of Python threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from ..cancel import CancelToken, cancel_scope, in_this_context
from .progress import BulkProgress, Share
from .pump import GRACE, Lane

_Value = TypeVar('_Value')


class ThreadLane(Lane[_Value]):
    """Calls a function for each item in threads of its own.

    They are daemons: one that hears nothing of the end of the call, as it looks up a name or is in
    code of the program, is left behind.

    :param work: is given the item and the progress to report to
    :param ring: is called when an item is done
    """

    def __init__(
        self,
        work: Callable[[Any, Share], _Value],
        workers: int,
        progress: BulkProgress,
        ring: Callable[[], None] | None = None,
    ) -> None:
        self._ring = ring
        self._work = work
        self._workers = workers
        self._progress = progress
        self._token = CancelToken()
        # Not conditions: Ctrl-C that comes when one has just been entered leaves its lock held.
        self._todo: SimpleQueue[tuple[int, Any] | None] = SimpleQueue()
        self._done: SimpleQueue[tuple[int, _Value | None, Exception | None]] = SimpleQueue()
        self._under_way = 0
        self._threads: list[threading.Thread] = []

    def start(self, ticket: int, item: Any) -> None:
        """Leave the item to the next thread that is free."""
        self._todo.put((ticket, item))
        self._under_way += 1
        if len(self._threads) < min(self._under_way, self._workers):
            thread = threading.Thread(
                target=in_this_context(self._run), name='b2fast-bulk', daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def finished(self, wait: float) -> Iterable[tuple[int, _Value | None, Exception | None]]:
        """See `Lane.finished`."""
        try:
            done = self._done.get(timeout=wait) if wait else self._done.get_nowait()
            while True:
                self._under_way -= 1
                yield done
                done = self._done.get_nowait()
        except Empty:
            pass

    def stop(self) -> None:
        """See `Lane.stop`."""
        self._token.cancel()
        for _ in range(self._workers):
            self._todo.put(None)
        deadline = time.monotonic() + GRACE
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        with cancel_scope(self._token):
            while (job := self._todo.get()) is not None and not self._token.is_cancelled:
                ticket, item = job
                value, error = self._call(item)
                self._done.put((ticket, value, error))
                if self._ring is not None:
                    self._ring()

    def _call(self, item: Any) -> tuple[_Value | None, Exception | None]:
        share = Share(self._progress)
        try:
            return self._work(item, share), None
        except Exception as error:
            return None, error
        finally:
            share.settle()
