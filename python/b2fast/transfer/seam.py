"""The seam below uploads and downloads: the two ways of moving bytes look alike from above.

`EngineSeam` hands them to the Rust core, which speaks HTTP itself; `StreamSeam` moves them as
Python streams through a raw API that does not (a simulator, a user's own `AbstractRawApi`).
The managers above plan transfers and know nothing of either.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from .._core.transfer import Place
    from ..encryption.setting import EncryptionSetting
    from .outbound.file_upload import FileUpload, PartUpload
    from .outbound.upload_source import AbstractUploadSource

Progress = Callable[[int, int], None]
"""Is called with the number of bytes that are done, and with how many were moved again because
an attempt had failed. Neither ever falls."""


class UploadContent(ABC):
    """The open content of an upload. What is hashed is what is sent."""

    @property
    @abstractmethod
    def length(self) -> int:
        """Bytes."""

    @abstractmethod
    def hash_parts(self, parts: Sequence[tuple[int, int]]) -> tuple[str, list[str]]:
        """The SHA-1 of the whole and of every part, (offset, length), in one pass."""

    @abstractmethod
    def send(self, upload: FileUpload, sha1: str | None, progress: Progress) -> dict[str, Any]:
        """Send all of it as a file (``b2_upload_file``), with retries; returns B2's answer.

        :param sha1: in hex; None to compute it
        """

    @abstractmethod
    def send_parts(
        self,
        file_id: str,
        parts: Sequence[PartUpload],
        encryption: EncryptionSetting | None,
        progress: Progress,
    ) -> list[str]:
        """Send parts of a large file (``b2_upload_part``), with retries; returns their SHA-1."""

    @abstractmethod
    def close(self) -> None:
        """Close what is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class OpenDownload(ABC):
    """A download whose headers are there and whose body is to be read."""

    HOW_TO_GO_ON = 'the target is as it was: download it again'
    """What is kept of a `save_to` that was ended, and how to get the rest."""

    @property
    @abstractmethod
    def headers(self) -> Mapping[str, str]:
        """Headers of the answer to the request as it was made."""

    @abstractmethod
    def continue_at(self, file_url: str) -> None:
        """Send further requests to the URL of just this version of the file.

        The name that it was opened by may get a newer version in the meantime.
        """

    @abstractmethod
    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; none at the end.

        A connection that breaks is taken up again where it broke.
        """

    def iter_content(self, chunk_size: int) -> Iterator[bytes]:
        """The bytes that follow in chunks of that size at most, as a response has them."""
        while chunk := self.read(chunk_size):
            yield chunk

    @abstractmethod
    def save_to(
        self,
        path: str | Place,
        *,
        sha1: str | None,
        streams: int,
        mtime_ns: int | None,
        progress: Progress,
    ) -> None:
        """Write the body to a file: beside it first, then in its place in one step.

        On failure the old file stays. The engine may leave a partial file and its journal
        (`TEMPORARY_SUFFIXES`), which the next call for the same version and path takes up.

        :param sha1: what the SHA-1 must be, in hex; None for no check
        :param streams: how many connections may be used
        :param mtime_ns: the modification time to set, in nanoseconds since 1970
        """

    @abstractmethod
    def close(self) -> None:
        """Close the connection, or give it back if the body was read."""


class TransferSeam(ABC):
    """A way of moving bytes."""

    @abstractmethod
    def open(self, source: AbstractUploadSource, attempts: int | None = None) -> UploadContent:
        """Open the source of an upload.

        :param attempts: how often a request is sent at most; the retry policy's number if None
        """

    def large_file(self, file_id: str) -> AbstractContextManager[None]:
        """While parts of a large file are sent from several sources.

        What its upload URLs and connections are kept in is shared by them.
        """
        return nullcontext()

    @abstractmethod
    def open_download(
        self, url: str, range_: tuple[int, int] | None, encryption: EncryptionSetting | None
    ) -> OpenDownload:
        """Ask for a file, or its bytes first to last, and wait for the headers."""
