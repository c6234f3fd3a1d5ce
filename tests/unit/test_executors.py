"""Pools of threads and queues with an end: races, forks, cancelled and refused tasks."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest

from b2fast import BoundedQueueExecutor
from b2fast.utils.thread_pool import LazyThreadPool

from ..helpers import run_in_threads, through_pickle


def test_one_pool_for_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, max_workers: int) -> None:
            made.append(self)
            super().__init__(max_workers)

    monkeypatch.setattr(LazyThreadPool, '_THREAD_POOL_FACTORY', Pool)
    pool = LazyThreadPool(3)
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        assert pool.submit(int, '5').result() == 5

    run_in_threads(8, work)
    assert len(made) == 1


FORK = """
import os
from contextlib import nullcontext
from b2fast.utils.thread_pool import LazyThreadPool

pool = LazyThreadPool(1)
assert pool.submit(os.getpid).result() == os.getpid()
with pool._lock if {locked} else nullcontext():
    child = os.fork()
    if child == 0:
        os._exit(0 if pool.submit(os.getpid).result(timeout=60) == os.getpid() else 1)
    assert os.waitpid(child, 0)[1] == 0
assert pool.submit(os.getpid).result() == os.getpid()
"""


@pytest.mark.parametrize('locked', [False, True])
def test_a_child_process_has_threads_of_its_own(locked: bool) -> None:
    program = FORK.format(locked=locked)
    subprocess.run([sys.executable, '-c', program], check=True, timeout=100)


def test_a_cancelled_task_makes_room() -> None:
    executor = BoundedQueueExecutor(ThreadPoolExecutor(1), queue_limit=2)
    go_on = threading.Event()
    running = executor.submit(go_on.wait)
    assert executor.submit(int).cancel()
    last = executor.submit(int, '7')
    go_on.set()
    assert (running.result(), last.result()) == (True, 7)
    executor.shutdown()
    assert executor.get_num_exceptions() == 0


def test_a_refused_task_makes_room() -> None:
    class Refusing(Executor):
        def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
            raise RuntimeError('no more')

    executor = BoundedQueueExecutor(Refusing(), queue_limit=1)
    for _ in range(3):
        with pytest.raises(RuntimeError, match='no more'):
            executor.submit(int)


def test_every_exception_is_counted() -> None:
    executor = BoundedQueueExecutor(ThreadPoolExecutor(8), queue_limit=20)
    futures = [executor.submit(int, 'x') for _ in range(300)]
    executor.shutdown()
    assert all(future.exception() for future in futures)
    assert executor.get_num_exceptions() == 300


def test_a_pool_that_travels_keeps_its_size_and_leaves_its_threads() -> None:
    pool = LazyThreadPool(3)
    assert pool.submit(int).result() == 0
    copied = through_pickle(pool)
    assert copied.get_size() == 3
    assert copied.submit(int).result() == 0


def test_pool_that_was_interrupted_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread has started and the pool does not know of it when Ctrl-C comes."""
    start = threading.Thread.start
    started: list[threading.Thread] = []

    def start_and_interrupt(thread: threading.Thread) -> None:
        start(thread)
        started.append(thread)
        raise KeyboardInterrupt

    pool = LazyThreadPool(2)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, 'start', start_and_interrupt)
        with pytest.raises(KeyboardInterrupt):
            pool.submit(int)
    (thread,) = started
    thread.join(30)
    assert not thread.is_alive()
    assert pool.submit(int, '7').result() == 7
