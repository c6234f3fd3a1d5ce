from collections.abc import Callable, Sequence
from contextvars import ContextVar
from os import PathLike
from pathlib import Path
from typing import Any, Final, Self, final

from typing_extensions import disjoint_base

# How the names end of what a download has beside its target until it is complete (content,
# journal, journal in the making). They begin with a point.
TEMPORARY_SUFFIXES: Final[tuple[str, str, str]]

# Creates the file that a download writes before it gets its target's name, and returns a
# descriptor and its path. What an interrupted download has left there is removed. `mode` has
# the permissions before the umask. Raises OSError.
def create_beside(target: str | PathLike[str], mode: int) -> tuple[int, Path]: ...

# Raised by every call of this module when a transfer fails; `b2fast.transfer.errors` turns it
# into an exception of b2fast.exception, so that it never leaves the package. An exception
# raised by a callback (a lease source, `authorize`, a progress callback) or by a signal
# handler (KeyboardInterrupt) comes back as it is. A progress callback is given the bytes that have
# moved, and the bytes that have moved again because an attempt had failed; neither ever falls.
class TransferError(Exception):
    kind: str
    message: str
    status: int | None
    code: str | None
    retry_after: float | None
    host: str | None
    path: str | None
    link: str | None
    errno: int | None
    expected: str | None
    actual: str | None
    attempts: int | None

@final
class Retry:
    def __new__(
        cls,
        *,
        attempts: int = 20,
        first_delay: float = 1.0,
        factor: float = 1.5,
        max_delay: float = 64.0,
        deadline: float | None = 3600.0,
    ) -> Retry: ...

# A file that stays open, or bytes: what is hashed is what is sent.
@final
class Source:
    @staticmethod
    def open(path: str | PathLike[str]) -> Source: ...
    @staticmethod
    def of_bytes(data: bytes | bytearray) -> Source: ...
    @property
    def length(self) -> int: ...
    @property
    def mtime_ns(self) -> int | None: ...
    def hash_parts(
        self,
        parts: Sequence[tuple[int, int]],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[str, list[str]]: ...

# Upload URLs with their tokens; `source` returns (upload URL, upload token) of a new one.
@final
class Leases:
    def __new__(cls, source: Callable[[], tuple[str, str]]) -> Leases: ...
    def clear(self) -> None: ...

# A directory that downloads stay below, whatever others do to its directories meanwhile. It is
# made and opened when the first file goes there; symbolic links that stay in it are followed.
# With `replaces_all`, links, pipes and devices in the place of a file are replaced by it.
@final
class Anchor:
    def __new__(cls, directory: str | PathLike[str], *, replaces_all: bool = False) -> Anchor: ...
    def place(self, path: str | PathLike[str]) -> Place: ...

# Where a file goes. `path` is for the system alone, and holds for as long as this is there; no
# link at its end is to be followed.
@final
class Place:
    @property
    def path(self) -> str: ...
    @property
    def replaces_all(self) -> bool: ...

# An open download. Whatever stretch the engine asked for first, `status` and `headers` (names
# in lower case) are those of an answer to the whole request: 200 with the file's length
# without a range, else 206 with the range that was asked for, clamped to the file.
@final
class Download:
    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def length(self) -> int: ...
    def continue_at(self, file_url: str) -> None: ...
    def read(self, size: int) -> bytes: ...
    def close(self) -> None: ...
    def save_to(
        self,
        path: str | PathLike[str] | Place,
        *,
        sha1: str | None = None,
        streams: int = 1,
        mtime_ns: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None: ...

# What engines have asked the service for; bytes are those of content.
@final
class Counters:
    def __new__(cls) -> Counters: ...
    @property
    def calls(self) -> list[tuple[str, int]]: ...
    @property
    def retries(self) -> int: ...
    @property
    def bytes_sent(self) -> int: ...
    @property
    def bytes_received(self) -> int: ...

# Bytes per second, in each direction, of all engines that it is given to; None for no limit.
@final
class RateLimits:
    def __new__(cls) -> RateLimits: ...
    @property
    def upload(self) -> int | None: ...
    @upload.setter
    def upload(self, bytes_per_second: int | None) -> None: ...
    @property
    def download(self) -> int | None: ...
    @download.setter
    def download(self, bytes_per_second: int | None) -> None: ...

# A pause that all who share it keep when the service has refused one of their requests with
# 429; in seconds.
@final
class Gate:
    def __new__(cls, *, first_pause: float = 1.0, longest_pause: float = 64.0) -> Gate: ...
    def refused(self, retry_after: float | None = None) -> None: ...
    def accepted(self) -> None: ...
    def pause(self) -> float: ...

# The threads and the memory for content that engines share.
@final
class Resources:
    def __new__(cls) -> Resources: ...

@final
class Engine:
    def __new__(
        cls,
        *,
        user_agent: str,
        connect_timeout: float = 46.0,
        idle_timeout: float = 128.0,
        upload_idle_timeout: float = 128.0,
        connections: int = 10,
        counters: Counters | None = None,
        rate_limits: RateLimits | None = None,
        gate: Gate | None = None,
        resources: Resources | None = None,
    ) -> Engine: ...
    def upload(
        self,
        source: Source,
        leases: Leases,
        headers: Sequence[tuple[str, str]],
        *,
        retry: Retry,
        sha1: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> bytes: ...
    def upload_parts(
        self,
        source: Source,
        leases: Leases,
        headers: Sequence[tuple[str, str]],
        parts: Sequence[tuple[int, int, int, str | None]],
        *,
        retry: Retry,
        workers: int,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[str]: ...
    def open_download(
        self,
        url: str,
        headers: Sequence[tuple[str, str]],
        authorize: Callable[[str | None], str],
        *,
        retry: Retry,
        range: tuple[int, int | None] | None = None,
    ) -> Download: ...

# What ends the transfers that are started in a context, queues of many files included.
CURRENT_SCOPE: Final[ContextVar[Any]]

@disjoint_base
class CancelFlag:
    def __new__(cls) -> Self: ...
    def set(self) -> None: ...
    @property
    def is_set(self) -> bool: ...

# Over when the flag is set, after `deadline` seconds, or when the outer one is over.
@disjoint_base
class Scope:
    def __new__(
        cls, outer: Scope | None, flag: CancelFlag | None, deadline: float | None
    ) -> Self: ...
    @property
    def is_over(self) -> bool: ...
    @property
    def remaining(self) -> float | None: ...

# Small files, many at a time, on threads of the queue. Results are (ticket, value, error, bytes).
# Without value and error, an upload was not begun, because it is not for this queue.
@final
class BulkUploads:
    def __new__(
        cls, engine: Engine, leases: Leases, *, retry: Retry, workers: int, large_from: int
    ) -> BulkUploads: ...
    def push_file(
        self,
        ticket: int,
        path: str | PathLike[str],
        headers: Sequence[tuple[str, str]],
        sha1: str | None = None,
    ) -> None: ...
    def push_bytes(
        self,
        ticket: int,
        data: bytes | bytearray,
        headers: Sequence[tuple[str, str]],
        sha1: str | None = None,
    ) -> None: ...
    def results(self, wait: float) -> list[tuple[int, bytes | None, Exception | None, int]]: ...
    @property
    def bytes_retried(self) -> int: ...
    def ring(self) -> None: ...
    def stop(self, grace: float) -> None: ...

# The value of a download is the headers of the saved file, or the open download of one that is
# not for this queue.
@final
class BulkDownloads:
    def __new__(
        cls,
        engine: Engine,
        authorize: Callable[[str | None], str],
        *,
        retry: Retry,
        workers: int,
        verify: bool,
        url_of_ids: str,
    ) -> BulkDownloads: ...
    def push(
        self,
        ticket: int,
        url: str,
        headers: Sequence[tuple[str, str]],
        path: str | PathLike[str],
        anchor: Anchor | None = None,
    ) -> None: ...
    def results(
        self, wait: float
    ) -> list[tuple[int, dict[str, str] | Download | None, Exception | None, int]]: ...
    def ring(self) -> None: ...
    def stop(self, grace: float) -> None: ...
