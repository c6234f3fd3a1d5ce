"""The lane of the Rust core: a short step of Python before each small file, and one behind."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from .._core.transfer import BulkDownloads, BulkUploads
from .progress import BulkProgress, Share
from .pump import GRACE, Lane
from .threads import ThreadLane

_Value = TypeVar('_Value')
_Given = TypeVar('_Given')


class EngineLane(Lane[_Value], Generic[_Given, _Value]):
    """Leaves small files to a queue of the core, and others to Python threads.

    :param queue: its results and those of the threads are waited for together
    """

    def __init__(
        self, queue: BulkUploads | BulkDownloads, workers: int, progress: BulkProgress
    ) -> None:
        self._queue = queue
        self._progress = progress
        self._others: ThreadLane[_Value] = ThreadLane(_call, workers, progress, queue.ring)
        self._in_queue: dict[int, _Given] = {}

    def start_in_thread(self, ticket: int, work: Callable[[Share], _Value]) -> None:
        """Begin with an item that is work for a Python thread."""
        self._others.start(ticket, work)

    def finished(self, wait: float) -> Iterable[tuple[int, _Value | None, Exception | None]]:
        """See `Lane.finished`."""
        for ticket, value, error, byte_count in self._queue.results(wait):
            given = self._in_queue.pop(ticket)
            try:
                if error is not None:
                    self._fail(given, error)
                made = self._value_of(ticket, given, value)
            except Exception as failure:
                yield ticket, None, failure
                continue
            if made is not None:
                self._progress.add(byte_count, byte_count)
                yield ticket, made, None
        yield from self._others.finished(0)

    def stop(self) -> None:
        """See `Lane.stop`."""
        # Both know of it before either is waited for.
        self._queue.stop(0)
        self._others.stop()
        self._queue.stop(GRACE)

    @abstractmethod
    def _fail(self, given: _Given, error: Exception) -> None:
        """Raise what an error of the queue is for the caller."""

    @abstractmethod
    def _value_of(self, ticket: int, given: _Given, value: Any) -> _Value | None:
        """The value of what came from the queue; None if it was left to the threads."""


def _call(work: Callable[[Share], _Value], share: Share) -> _Value:
    return work(share)
