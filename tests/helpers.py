"""What several test modules need."""

from __future__ import annotations

import hashlib
import io
import pickle
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from b2fast import ProgressReport

LISTED_NAMES = [
    'a',
    'a.txt',
    'a/b',
    'a/c/d',
    'a/c/e',
    'b',
    'c/x.txt',
    'c/y.csv',
    'd',
    'e/[z].txt',
    'é',
]


def sha1_of(data: bytes) -> str:
    """The SHA-1 in hex."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


class Clock:
    """A clock that stands still unless a test moves it."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def through_pickle(thing: Any) -> Any:
    """What another process would get of it."""
    return pickle.loads(pickle.dumps(thing))  # noqa: S301


def run_in_threads(number: int, work: Callable[[], object]) -> None:
    """Do the same in several threads at once and wait for all."""
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def bulk_threads() -> list[threading.Thread]:
    """The Python threads of bulk calls."""
    return [thread for thread in threading.enumerate() if thread.name == 'b2fast-bulk']


def fill_for_listing(bucket: Any) -> None:
    """Upload `LISTED_NAMES`: ``a`` twice; hide ``b`` and ``a/c/d``, and ``c/x.txt`` in between."""
    for name in LISTED_NAMES:
        bucket.upload_bytes(name.encode(), name)
    bucket.upload_bytes(b'newer', 'a')
    bucket.hide_file('b')
    bucket.hide_file('c/x.txt')
    bucket.upload_bytes(b'again', 'c/x.txt')
    bucket.hide_file('a/c/d')


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """What a full disk does to a file that is appended to."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class Reporter(ProgressReport):
    """Notes what a scan tells: the event and the path, and for names what is wrong with them."""

    def __init__(self) -> None:
        super().__init__(io.StringIO(), no_progress=True)
        self.events: list[tuple[str, str]] = []
        self.problems: dict[str, str] = {}

    def local_access_error(self, path: str) -> None:
        self.events.append(('access', path))

    def local_permission_error(self, path: str) -> None:
        self.events.append(('permission', path))

    def symlink_skipped(self, path: str) -> None:
        self.events.append(('symlink', path))

    def circular_symlink_skipped(self, path: str) -> None:
        self.events.append(('circular', path))

    def invalid_name(self, path: str, error: str) -> None:
        self.events.append(('name', path))
        self.problems[path] = error
