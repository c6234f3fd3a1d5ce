"""An executor whose queue has an end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec('_P')
_T = TypeVar('_T')


class BoundedQueueExecutor:
    """Limits how many tasks of an executor wait or run at a time.

    :param executor: what runs the tasks
    :param queue_limit: the number of tasks after which `submit` waits
    """

    def __init__(self, executor: Executor, queue_limit: int) -> None:
        self.executor = executor
        self.semaphore = threading.Semaphore(queue_limit)
        self.num_exceptions = 0
        self._lock = threading.Lock()

    def submit(self, fcn: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Have a function called, as soon as there is room for it in the queue."""
        self.semaphore.acquire()
        try:
            future = self.executor.submit(self._run, fcn, args, kwargs)
        except BaseException:
            self.semaphore.release()
            raise
        # Called for a cancelled task as well, which never runs.
        future.add_done_callback(lambda _: self.semaphore.release())
        return future

    def _run(self, fcn: Callable[..., _T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> _T:
        try:
            return fcn(*args, **kwargs)
        except Exception:
            with self._lock:
                self.num_exceptions += 1
            raise

    def shutdown(self) -> None:
        """Wait for all tasks and end the executor."""
        self.executor.shutdown()

    def get_num_exceptions(self) -> int:
        """How many tasks ended with an exception."""
        return self.num_exceptions
