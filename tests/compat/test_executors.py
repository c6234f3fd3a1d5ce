"""Pools of threads and queues with an end."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from b2sdk import v3 as b2sdk
from b2sdk._internal.utils.thread_pool import LazyThreadPool as TheirPool

import b2fast
from b2fast.utils.thread_pool import LazyThreadPool

from .outcomes import value_or_error

SDKS = pytest.mark.parametrize('sdk', [b2fast, b2sdk], ids=['b2fast', 'b2sdk'])
POOLS = pytest.mark.parametrize('pool_class', [LazyThreadPool, TheirPool], ids=['b2fast', 'b2sdk'])


@POOLS
def test_pool(pool_class: Any) -> None:
    pool = pool_class(2)
    threads_before = threading.active_count()
    assert pool.get_size() == 2
    assert threading.active_count() == threads_before
    assert pool.submit(divmod, 7, 2).result() == (3, 1)
    assert isinstance(pool.submit(int, 'x').exception(), ValueError)
    assert pool.submit(int, 'ff', base=16).result() == 255
    slow = pool.submit(threading.Event().wait, 0.01)
    pool.set_size(3)
    assert slow.done()
    assert pool.get_size() == 3
    assert value_or_error(lambda: pool.set_size(0)) == 'ValueError'
    assert pool.submit(int, '5').result() == 5
    pool.set_size(3)


def test_default_size(monkeypatch: pytest.MonkeyPatch) -> None:
    for count in (None, 1, 2, 27, 28, 29, 500):
        monkeypatch.setattr(os, 'cpu_count', lambda count=count: count)
        assert LazyThreadPool().get_size() == TheirPool().get_size()


@SDKS
def test_mixin(sdk: Any) -> None:
    class Base:
        def __init__(self, name: str) -> None:
            self.name = name

    class Worker(sdk.ThreadPoolMixin, Base):
        pass

    worker = Worker(max_workers=4, name='it')
    assert (worker.name, worker.get_thread_pool_size()) == ('it', 4)
    worker.set_thread_pool_size(5)
    assert worker.get_thread_pool_size() == 5
    assert Worker(name='it').get_thread_pool_size() == LazyThreadPool().get_size()
    assert sdk.ThreadPoolMixin.DEFAULT_THREAD_POOL_CLASS.__name__ == 'LazyThreadPool'


@SDKS
def test_mixin_with_a_pool_of_ones_own(sdk: Any) -> None:
    class Pool:
        size = 9

        def get_size(self) -> int:
            return self.size

        def set_size(self, max_workers: int) -> None:
            self.size = max_workers

    pool = Pool()
    worker = sdk.ThreadPoolMixin(pool, max_workers=3)
    assert worker.get_thread_pool_size() == 9
    worker.set_thread_pool_size(11)
    assert pool.size == 11


@SDKS
def test_mixin_with_a_class_of_pools(sdk: Any) -> None:
    made = []

    class Pool:
        def __init__(self, max_workers: int | None) -> None:
            made.append(max_workers)

    class Worker(sdk.ThreadPoolMixin):
        DEFAULT_THREAD_POOL_CLASS = Pool

    Worker()
    Worker(max_workers=2)
    assert made == [None, 2]


@SDKS
def test_bounded_queue(sdk: Any) -> None:
    executor = sdk.BoundedQueueExecutor(ThreadPoolExecutor(1), queue_limit=2)
    go_on = threading.Event()
    futures = [executor.submit(go_on.wait), executor.submit(int, 'ff', base=16)]
    waits = threading.Thread(target=lambda: futures.append(executor.submit(int, 'x')))
    waits.start()
    waits.join(0.05)
    assert waits.is_alive()
    go_on.set()
    waits.join()
    executor.shutdown()
    assert [future.result() for future in futures[:2]] == [True, 255]
    assert isinstance(futures[2].exception(), ValueError)
    assert executor.get_num_exceptions() == executor.num_exceptions == 1
