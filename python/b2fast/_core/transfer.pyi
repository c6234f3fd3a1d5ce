from collections.abc import Buffer, Callable, Sequence
from os import PathLike
from typing import final

# Raised by every call of this module when a transfer fails. `b2fast.transfer.errors` turns
# it into an exception of b2fast.exception; it never leaves the package.
class TransferError(Exception):
    kind: str
    status: int
    code: str
    message: str
    retry_after: float | None
    path: str | None
    host: str | None
    expected: str | None
    actual: str | None
    errno: int | None
    attempts: int

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

@final
class Leases:
    def __new__(cls, source: Callable[[], tuple[str, str]]) -> Leases: ...
    def __len__(self) -> int: ...
    def clear(self) -> None: ...

@final
class Download:
    status: int
    headers: dict[str, str]
    def read(self, size: int) -> bytes: ...
    def close(self) -> None: ...
    def save_to(
        self,
        path: str | PathLike[str],
        *,
        length: int,
        file_url: str,
        sha1: str | None = None,
        streams: int = 1,
        mtime_ns: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> str: ...

@final
class Engine:
    def __new__(
        cls,
        *,
        user_agent: str,
        connect_timeout: float = 46.0,
        idle_timeout: float = 128.0,
        connections: int = 10,
        memory_budget: int | None = None,
    ) -> Engine: ...
    def upload_bytes(
        self,
        data: Buffer,
        leases: Leases,
        headers: Sequence[tuple[str, str]],
        *,
        retry: Retry,
        sha1: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> bytes: ...
    def upload_file(
        self,
        path: str | PathLike[str],
        leases: Leases,
        headers: Sequence[tuple[str, str]],
        *,
        retry: Retry,
        length: int,
        sha1: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> bytes: ...
    def upload_parts(
        self,
        path: str | PathLike[str],
        leases: Leases,
        headers: Sequence[tuple[str, str]],
        parts: Sequence[tuple[int, int, int, str | None]],
        *,
        retry: Retry,
        length: int,
        workers: int,
        progress: Callable[[int], None] | None = None,
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
