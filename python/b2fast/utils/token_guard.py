"""One user at a time for an upload token."""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import Protocol

from ..exception import UploadTokenUsedConcurrently


class _Lock(Protocol):
    def acquire(self, blocking: bool = ..., /) -> bool: ...
    def release(self) -> None: ...


class ConcurrentUsedAuthTokenGuard:
    """A context in which a token is used, by one thread at a time.

    :param lock: the lock of the token
    :param token: the token; it is in no message

    Entering raises `UploadTokenUsedConcurrently` if the lock is taken.
    """

    def __init__(self, lock: _Lock, token: str) -> None:
        self.lock = lock
        self.token = token

    def __enter__(self) -> None:
        if not self.lock.acquire(False):
            raise UploadTokenUsedConcurrently(self.token)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # The block may have released it.
        with contextlib.suppress(RuntimeError):
            self.lock.release()
