"""The lane of Python threads."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
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
        self._todo: deque[tuple[int, Any]] = deque()
        self._done: deque[tuple[int, _Value | None, Exception | None]] = deque()
        lock = threading.Lock()
        self._changed = threading.Condition(lock)
        self._has_work = threading.Condition(lock)
        self._threads: list[threading.Thread] = []
        self._idle = 0

    def start(self, ticket: int, item: Any) -> None:
        """Leave the item to the next thread that is free."""
        with self._changed:
            self._todo.append((ticket, item))
            if self._idle < len(self._todo) and len(self._threads) < self._workers:
                thread = threading.Thread(
                    target=in_this_context(self._run), name='b2fast-bulk', daemon=True
                )
                thread.start()
                self._threads.append(thread)
            else:
                self._has_work.notify()

    def finished(self, wait: float) -> Iterable[tuple[int, _Value | None, Exception | None]]:
        """See `Lane.finished`."""
        if wait and not self._done:
            with self._changed:
                if not self._done:
                    self._changed.wait(wait)
        while self._done:
            yield self._done.popleft()

    def stop(self) -> None:
        """See `Lane.stop`."""
        self._token.cancel()
        with self._changed:
            self._todo.clear()
            self._has_work.notify_all()
        deadline = time.monotonic() + GRACE
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        with cancel_scope(self._token):
            while (job := self._next()) is not None:
                ticket, item = job
                value, error = self._call(item)
                with self._changed:
                    self._done.append((ticket, value, error))
                    self._changed.notify()
                if self._ring is not None:
                    self._ring()

    def _next(self) -> tuple[int, Any] | None:
        with self._changed:
            while not self._todo:
                if self._token.is_cancelled:
                    return None
                self._idle += 1
                self._has_work.wait()
                self._idle -= 1
            return self._todo.popleft()

    def _call(self, item: Any) -> tuple[_Value | None, Exception | None]:
        share = Share(self._progress)
        try:
            return self._work(item, share), None
        except Exception as error:
            return None, error
        finally:
            share.settle()
