"""Pools of threads that are started when there is something to do."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, Protocol, TypeVar

_P = ParamSpec('_P')
_T = TypeVar('_T')


class DynamicThreadPoolExecutorProtocol(Protocol):
    """A pool of threads whose size can be changed."""

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Have a function called by one of the threads."""
        ...

    def set_size(self, max_workers: int) -> None:
        """Change the number of threads."""

    def get_size(self) -> int:
        """The number of threads."""
        ...


class LazyThreadPool:
    """A pool of threads whose first task starts them, in a child process of ``fork`` too.

    :param max_workers: the number of threads at most; None for four more than there are
        processors, and 32 at most, as `concurrent.futures.ThreadPoolExecutor` has it
    """

    _THREAD_POOL_FACTORY = ThreadPoolExecutor

    def __init__(self, max_workers: int | None = None, **kwargs: Any) -> None:
        if max_workers is None:
            max_workers = min(32, (os.cpu_count() or 1) + 4)
        self._max_workers = max_workers
        # By process ID: a child of fork has neither its parent's threads nor, if one of these
        # held it, a lock that is ever released.
        self._locks = {os.getpid(): threading.Lock()}
        self._pools: dict[int, ThreadPoolExecutor] = {}
        super().__init__(**kwargs)

    def __reduce__(self) -> tuple[type[LazyThreadPool], tuple[int]]:
        # Threads and tasks stay in their process.
        return type(self), (self._max_workers,)

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Have a function called by one of the threads."""
        with self._lock:
            pool = self._pools.get(os.getpid())
            if pool is None:
                pool = self._THREAD_POOL_FACTORY(self._max_workers)
                self._pools[os.getpid()] = pool
            try:
                return pool.submit(fn, *args, **kwargs)
            except BaseException:
                # Ctrl-C may come between the start of a thread and its registration. At its end
                # the interpreter would wait for it and not tell it to end. Threads of a pool that
                # is shut down end by themselves, after what they have to do.
                del self._pools[os.getpid()]
                pool.shutdown(wait=False)
                raise

    def set_size(self, max_workers: int) -> None:
        """Change the number of threads, after the tasks that were submitted are done.

        Tasks that come meanwhile are done by the new threads.

        :raises ValueError: if the number is not positive.
        """
        with self._lock:
            if self._max_workers == max_workers:
                return
            new = self._THREAD_POOL_FACTORY(max_workers)
            old = self._pools.get(os.getpid())
            self._pools[os.getpid()] = new
            self._max_workers = max_workers
        if old is not None:
            old.shutdown(wait=True)

    @property
    def _lock(self) -> threading.Lock:
        pid = os.getpid()
        return self._locks.get(pid) or self._locks.setdefault(pid, threading.Lock())

    def get_size(self) -> int:
        """The number of threads at most."""
        return self._max_workers


class ThreadPoolMixin:
    """Has a pool of threads.

    :param thread_pool: the pool; a `LazyThreadPool` if there is none
    :param max_workers: the size of a pool that is made here
    """

    DEFAULT_THREAD_POOL_CLASS = LazyThreadPool

    def __init__(
        self,
        thread_pool: DynamicThreadPoolExecutorProtocol | None = None,
        max_workers: int | None = None,
        **kwargs: Any,
    ) -> None:
        self._thread_pool: DynamicThreadPoolExecutorProtocol = (
            thread_pool
            if thread_pool is not None
            else self.DEFAULT_THREAD_POOL_CLASS(max_workers=max_workers)
        )
        self._max_workers = max_workers
        super().__init__(**kwargs)

    def set_thread_pool_size(self, max_workers: int) -> None:
        """Change the number of threads; see `LazyThreadPool.set_size`."""
        self._thread_pool.set_size(max_workers)

    def get_thread_pool_size(self) -> int:
        """The number of threads at most."""
        return self._thread_pool.get_size()
