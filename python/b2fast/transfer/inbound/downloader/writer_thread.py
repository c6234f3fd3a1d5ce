"""The one thread that writes a file which several receive."""

from __future__ import annotations

import threading
from queue import Queue
from types import TracebackType
from typing import BinaryIO, Self

from .abstract import write_all
from .stats_collector import StatsCollector


class WriterThread(threading.Thread):
    """A context manager that writes what other threads queue, at the offsets that they say.

    An error of the file is raised by every later `queue_write` and at the end of the context:
    whoever queues never waits for a file that cannot be written.

    :param file: can be written at any offset
    :param max_queue_depth: how many chunks may wait; at least one for each thread that queues
    """

    def __init__(self, file: BinaryIO, max_queue_depth: int) -> None:
        super().__init__(name='b2fast-writer', daemon=True)
        self.file = file
        self.queue: Queue[tuple[bool, int, bytes]] = Queue(max_queue_depth)
        self.total = 0
        self.stats_collector = StatsCollector(str(file), 'writer', 'seek')
        self._error: BaseException | None = None

    def run(self) -> None:
        """Write until the context ends; after an error, take what is queued and drop it."""
        stats = self.stats_collector
        with stats.total:
            while True:
                with stats.read:
                    is_end, offset, data = self.queue.get()
                if is_end:
                    return
                if self._error is None:
                    try:
                        self._write(offset, data)
                    except BaseException as error:
                        self._error = error

    def _write(self, offset: int, data: bytes) -> None:
        with self.stats_collector.other:
            self.file.seek(offset)
        with self.stats_collector.write:
            write_all(self.file, data)
        self.total += len(data)

    def queue_write(self, offset: int, data: bytes) -> None:
        """Have bytes written; waits while the queue is full.

        Raises the error of a write before.
        """
        if self._error is not None:
            raise self._error
        self.queue.put((False, offset, data))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.queue.put((True, 0, b''))
        self.join()
        self.stats_collector.report()
        if self._error is not None and exc_type is None:
            raise self._error
