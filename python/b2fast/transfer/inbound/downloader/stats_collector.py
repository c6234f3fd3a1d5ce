"""How long a thread of a download waited, and for what."""

from __future__ import annotations

import logging
import time
from types import TracebackType

logger = logging.getLogger(__name__)


class SingleMetricCollector:
    """A context manager that adds up the time inside, for one thread.

    ``sum_of_all_entries`` is in nanoseconds.
    """

    def __init__(self) -> None:
        self.sum_of_all_entries = 0
        self._entered = 0

    def __enter__(self) -> None:
        self._entered = time.perf_counter_ns()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.sum_of_all_entries += time.perf_counter_ns() - self._entered


class StatsCollector:
    """The times of one thread; `report` logs them.

    :param name: what is downloaded
    :param detail: which thread it is
    :param other_name: what ``other`` stands for
    """

    def __init__(self, name: str, detail: str, other_name: str) -> None:
        self.name = name
        self.detail = detail
        self.other_name = other_name
        self.total = SingleMetricCollector()
        self.read = SingleMetricCollector()
        self.other = SingleMetricCollector()
        self.write = SingleMetricCollector()

    def report(self) -> None:
        """Log the times."""
        for what, metric in (
            ('total', self.total),
            ('read', self.read),
            (self.other_name, self.other),
            ('write', self.write),
        ):
            logger.info(
                'download stats | %s | %s %s: %.3f ms',
                self.name,
                self.detail,
                what,
                metric.sum_of_all_entries / 1e6,
            )
