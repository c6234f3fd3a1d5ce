"""Thread pools that start when they are first used."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec('P')
R = TypeVar('R')


class DynamicThreadPoolExecutorProtocol(Protocol):
    """What `ThreadPoolMixin` wants of a thread pool."""

    def submit(self, fn: Callable[..., R], *args: Any, **kwargs: Any) -> Future[R]:
        """Have a call made by one of the threads."""
        ...

    def set_size(self, max_workers: int) -> None:
        """Change the number of threads."""
        ...

    def get_size(self) -> int:
        """The number of threads."""
        ...


class LazyThreadPool:
    """A pool whose threads start at first use; a forked child gets threads of its own.

    :param max_workers: the number of threads; as `ThreadPoolExecutor` has it if None
    """

    _THREAD_POOL_FACTORY = ThreadPoolExecutor

    def __init__(self, max_workers: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._max_workers = max_workers or min(32, (os.cpu_count() or 1) + 4)
        self._thread_pool: ThreadPoolExecutor | None = None
        self._pid = os.getpid()

    def submit(self, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Have a call made by one of the threads."""
        if self._thread_pool is None or self._pid != os.getpid():
            self._thread_pool = self._THREAD_POOL_FACTORY(self._max_workers)
            self._pid = os.getpid()
        return self._thread_pool.submit(fn, *args, **kwargs)

    def set_size(self, max_workers: int) -> None:
        """Change the number of threads, after the calls that are under way."""
        if max_workers == self._max_workers:
            return
        old, self._thread_pool = self._thread_pool, None
        self._max_workers = max_workers
        if old is not None:
            old.shutdown(wait=True)

    def get_size(self) -> int:
        """The number of threads."""
        return self._max_workers


class ThreadPoolMixin:
    """Gives a class a thread pool.

    :param thread_pool: the pool; one of its own if None
    :param max_workers: the number of threads of its own pool
    """

    DEFAULT_THREAD_POOL_CLASS = LazyThreadPool

    def __init__(
        self,
        thread_pool: DynamicThreadPoolExecutorProtocol | None = None,
        max_workers: int | None = None,
        **kwargs: Any,
    ) -> None:
        self._thread_pool: DynamicThreadPoolExecutorProtocol = (
            self.DEFAULT_THREAD_POOL_CLASS(max_workers=max_workers)
            if thread_pool is None
            else thread_pool
        )
        self._max_workers = max_workers
        super().__init__(**kwargs)

    def set_thread_pool_size(self, max_workers: int) -> None:
        """Change the number of threads, after the calls that are under way."""
        self._thread_pool.set_size(max_workers)

    def get_thread_pool_size(self) -> int:
        """The number of threads."""
        return self._thread_pool.get_size()
