"""Clients that meet faults, and a look at what they leave behind in their process."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests

from b2fast import B2Api, B2HttpApiConfig, InMemoryAccountInfo, InMemoryCache, RetryPolicy, Timeouts

from .service import Service

SEAMS = ['engine', 'streams']
"""The two ways that content goes: through the Rust core, or through Python."""

QUICK = RetryPolicy(attempts=4, first_delay=0.001, max_delay=0.004, deadline=60)
SHORT = RetryPolicy(attempts=2, first_delay=0.001, max_delay=0.004, deadline=60)
"""For tests in which each attempt ends with a time-out."""

PATIENT = Timeouts(connect=30, idle=60, copies=60)
HURRIED = Timeouts(connect=30, idle=0.25, copies=0.25)
"""For answers that never come; a machine that is busy for so long looks like one."""

_SECONDS = 30
"""How long to wait for what ends by itself, such as the threads of a pool without work."""


def new_session() -> requests.Session:
    """A session of the program's own, which has content go through Python."""
    return requests.Session()


def new_api(
    service: Service,
    seam: str,
    timeouts: Timeouts = PATIENT,
    policy: RetryPolicy = QUICK,
    *,
    authorized: bool = True,
) -> B2Api:
    """A client of its own for the service."""
    factory = {} if seam == 'engine' else {'http_session_factory': new_session}
    config = B2HttpApiConfig(**factory, retry_policy=policy, timeouts=timeouts)
    api = B2Api(InMemoryAccountInfo(), InMemoryCache(), api_config=config)
    if authorized:
        api.authorize_account(service.key_id, service.key, service.url)
    return api


def _descriptors() -> dict[str, str]:
    found = {}
    for name in os.listdir('/proc/self/fd'):
        try:
            found[name] = os.readlink(f'/proc/self/fd/{name}')
        except FileNotFoundError:
            continue  # that of listdir itself
    return found


def _wait_until(is_so: Callable[[], bool], what: Callable[[], str]) -> None:
    end = time.monotonic() + _SECONDS
    while not is_so():
        assert time.monotonic() < end, what()
        # A client and what it made refer to each other.
        gc.collect()
        time.sleep(0.01)


@contextmanager
def quick_collections() -> Iterator[None]:
    """Collecting garbage does not look at what was there before; it is done thousands of times."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """In the end no file and no connection is open that was not at the beginning.

    What is in the block has to let go of its clients: they keep their connections.
    """
    before = _descriptors()
    yield
    _wait_until(
        lambda: len(_descriptors()) <= len(before),
        lambda: f'still open: {set(_descriptors().items()) - set(before.items())}',
    )


@contextmanager
def no_thread_left() -> Iterator[None]:
    """In the end no thread of Python's or of the core's runs that did not at the beginning."""

    def tasks() -> int:
        return len(os.listdir('/proc/self/task'))

    before, known = tasks(), threading.active_count()
    yield
    _wait_until(
        lambda: tasks() <= before and threading.active_count() <= known,
        lambda: f'{tasks()} threads in place of {before}: {threading.enumerate()}',
    )
