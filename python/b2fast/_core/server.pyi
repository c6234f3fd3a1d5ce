from collections.abc import Callable, Sequence
from os import PathLike
from typing import final

from typing_extensions import Buffer

__all__ = [
    'BodyFaults',
    'Content',
    'ContentStore',
    'HttpServer',
    'Request',
    'Response',
    'make_certificate',
]

def make_certificate(names: Sequence[str]) -> tuple[bytes, bytes, str]: ...

@final
class BodyFaults:
    def __new__(
        cls,
        *,
        cut_after: int | None = None,
        reset_after: int | None = None,
        stall_after: int | None = None,
        flip_at: int | None = None,
        bytes_per_second: int | None = None,
    ) -> BodyFaults: ...
    cut_after: int | None
    reset_after: int | None
    stall_after: int | None
    flip_at: int | None
    bytes_per_second: int | None

@final
class Content:
    def __new__(cls, data: Buffer = b'') -> Content: ...
    @staticmethod
    def concat(contents: Sequence[Content]) -> Content: ...
    def slice(self, start: int, end: int) -> Content: ...
    def read(self, start: int = 0, end: int | None = None) -> bytes: ...
    def sha1(self) -> str: ...
    def md5(self) -> str: ...
    def stored(self) -> list[tuple[str, int, int]]: ...
    def keep(self) -> None: ...
    def release(self) -> None: ...
    def __len__(self) -> int: ...

@final
class ContentStore:
    def __new__(cls, directory: str | PathLike[str]) -> ContentStore: ...
    def open(
        self, segments: Sequence[tuple[str, int, int]], sha1: str | None = None
    ) -> Content: ...
    def sweep(self) -> int: ...

@final
class Request:
    def __new__(
        cls,
        method: str,
        path: str,
        query: str,
        headers: dict[str, str],
        body: bytes,
        content: Content | None = None,
        trailing_sha1: str | None = None,
        peer: str | None = None,
    ) -> Request: ...
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    content: Content | None
    trailing_sha1: str | None
    age: float
    peer: str | None

@final
class Response:
    def __new__(
        cls,
        status: int,
        headers: Sequence[tuple[str, str]] = (),
        body: Buffer | Content = b'',
        *,
        close: bool = False,
        delay: float = 0.0,
        faults: BodyFaults | None = None,
    ) -> Response: ...
    status: int
    headers: list[tuple[str, str]]
    body: Content
    close: bool
    delay: float
    faults: BodyFaults | None

@final
class HttpServer:
    def __new__(
        cls,
        handler: Callable[[Request], Response],
        *,
        host: str = '127.0.0.1',
        port: int = 0,
        store: ContentStore | None = None,
        max_body: int = 8388608,
        tls: tuple[bytes, bytes] | None = None,
        begin_upload: Callable[[Request], BodyFaults | None] | None = None,
    ) -> HttpServer: ...
    host: str
    port: int
    def watch_uploads(self, on: bool) -> None: ...
    def stop(self) -> None: ...
