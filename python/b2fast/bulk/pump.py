"""Items in, results out: what all bulk calls have in common."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable
from itertools import count
from typing import Any, Generic, TypeVar

from ..cancel import current_scope
from ..exception import DeadlineExceeded, TransferCancelled
from ..progress import AbstractProgressListener
from .items import BulkResult
from .progress import BulkProgress

_Value = TypeVar('_Value')

ITEMS_PER_WORKER = 8
"""How far the items are read ahead: enough that no worker waits for the caller."""

GRACE = 0.8
"""Seconds that a stopped call waits for what it has begun."""

LONGEST_WAIT = 0.05
"""Seconds after which a waiting caller looks at its progress."""


class Lane(ABC, Generic[_Value]):
    """Does the work for items, several at a time."""

    @abstractmethod
    def start(self, ticket: int, item: Any) -> None:
        """Begin with an item. What it raises is the item's error."""

    @abstractmethod
    def finished(self, wait: float) -> Iterable[tuple[int, _Value | None, Exception | None]]:
        """Tickets of items that are done since the last call, with their values or errors.

        :param wait: for how many seconds to wait for one at most
        """

    @abstractmethod
    def stop(self) -> None:
        """End what is running, within a second. What is done already does no harm."""


def results(
    items: Iterable[Any],
    make_lane: Callable[[int, BulkProgress], Lane[_Value]],
    workers: int,
    listener: AbstractProgressListener | None,
) -> Generator[BulkResult[_Value], None, None]:
    """Have the work done for all items, and yield a result for each, in the order of their ends.

    Items are read when there is room for them, on the thread that asks for results. However the
    generator ends, the lane is stopped. When the scope of the context is over, no more items are
    read; those that were begun have results, and then `TransferCancelled` or `DeadlineExceeded`
    is raised.

    :param make_lane: is called when the first result is asked for
    """
    progress = BulkProgress(listener)
    lane = make_lane(workers, progress)
    source = iter(items)
    tickets = count()
    open_items: dict[int, Any] = {}
    room = ITEMS_PER_WORKER * workers
    more = True
    scope = current_scope()
    was_ended = False
    leave_at: float | None = None
    try:
        while more or open_items:
            if leave_at is None:
                if scope is not None and scope.is_over:
                    more, was_ended = False, True
                    leave_at = time.monotonic() + GRACE
            elif time.monotonic() > leave_at:
                break
            wait = LONGEST_WAIT
            if more and len(open_items) < room:
                # What a slow source of items gives is begun before the next one is asked for.
                wait = 0.0
                try:
                    item = next(source)
                except StopIteration:
                    more = False
                else:
                    ticket = next(tickets)
                    try:
                        lane.start(ticket, item)
                    except Exception as failure:
                        yield BulkResult(item, None, failure)
                    else:
                        open_items[ticket] = item
            for ticket, value, error in lane.finished(wait):
                was_ended |= isinstance(error, (TransferCancelled, DeadlineExceeded))
                yield BulkResult(open_items.pop(ticket), value, error)
            progress.tell()
        progress.finish()
        if was_ended and scope is not None:
            scope.check()
    finally:
        lane.stop()
