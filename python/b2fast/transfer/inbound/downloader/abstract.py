"""What all downloaders have in common: the check, the chunks, and going on after a break."""

from __future__ import annotations

import errno
import io
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from ...._core.hashing import Sha1
from ....utils.range_ import EMPTY_RANGE, Range
from ....utils.thread_pool import LazyThreadPool
from ..continued_body import ContinuedBody, open_response

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from ....encryption.setting import EncryptionSetting
    from ....file_version import DownloadVersion
    from ....session import B2Session
    from ....utils.thread_pool import DynamicThreadPoolExecutorProtocol

_CHUNKS_PER_FILE = 1000


class Hasher(Protocol):
    """A running digest."""

    def update(self, data: bytes, /) -> None:
        """Take the next bytes."""

    def hexdigest(self) -> str:
        """The digest of all bytes so far, in hex."""
        ...


class EmptyHasher:
    """Hashes nothing; its digest is empty."""

    def update(self, data: bytes, /) -> None:
        """Do nothing."""

    def hexdigest(self) -> str:
        """The empty text."""
        return ''


class AbstractDownloader(ABC):
    """A way of receiving a file.

    :param thread_pool: runs what is done at the same time; a pool of its own if None
    :param force_chunk_size: bytes to receive at a time, whatever the size of the file
    :param min_chunk_size: bytes; else they are a thousandth of the file, but not fewer than this
    :param max_chunk_size: bytes; and not more than this
    :param align_factor: bytes that a chunk is a multiple of; `DEFAULT_ALIGN_FACTOR` if None
    :param check_hash: compute the SHA-1 of what is received

    Raises `ValueError` for sizes that contradict each other.
    """

    REQUIRES_SEEKING = True
    """Does it write at any offset, and read back?"""
    SUPPORTS_DECODE_CONTENT = True
    """Can it receive what is decoded on the way (``B2HttpApiConfig.decode_content``)?"""
    DEFAULT_THREAD_POOL_CLASS = LazyThreadPool
    DEFAULT_ALIGN_FACTOR = 4096

    def __init__(
        self,
        thread_pool: ThreadPoolExecutor | DynamicThreadPoolExecutorProtocol | None = None,
        force_chunk_size: int | None = None,
        min_chunk_size: int | None = None,
        max_chunk_size: int | None = None,
        align_factor: int | None = None,
        check_hash: bool = True,
        **kwargs: Any,
    ) -> None:
        self._align_factor = align_factor or self.DEFAULT_ALIGN_FACTOR
        if force_chunk_size is None and not (
            0 < (min_chunk_size or 0) <= (max_chunk_size or 0) >= self._align_factor
        ):
            raise ValueError(
                f'chunks of {min_chunk_size} to {max_chunk_size} bytes in multiples of '
                f'{self._align_factor} are impossible'
            )
        self._force_chunk_size = force_chunk_size
        self._min_chunk_size = min_chunk_size or 0
        self._max_chunk_size = max_chunk_size or 0
        self._check_hash = check_hash
        self._thread_pool = self.DEFAULT_THREAD_POOL_CLASS() if thread_pool is None else thread_pool
        super().__init__(**kwargs)

    def is_suitable(self, download_version: DownloadVersion, allow_seeking: bool) -> bool:
        """Can it receive this file?

        :param allow_seeking: may it write at any offset, and read back?
        """
        if self.REQUIRES_SEEKING and not allow_seeking:
            return False
        return self.SUPPORTS_DECODE_CONTENT or not is_decoded(download_version)

    @abstractmethod
    def download(
        self,
        file: BinaryIO,
        response: Any,
        download_version: DownloadVersion,
        session: B2Session,
        encryption: EncryptionSetting | None = None,
    ) -> tuple[int, str]:
        """Receive a file, or the range of it that was asked for, and write it.

        :param file: is written from where it stands
        :param response: the open response of a download URL; it is closed
        :param download_version: what the response told about the file
        :param session: asks for what the response does not give
        :param encryption: the key of an SSE-C file

        Returns the number of bytes received and their SHA-1 in hex, which is empty if it is
        not to be computed. The caller compares both with what B2 announced. Raises
        `TruncatedOutput` if the content cannot be had to its end, errors of the service, and
        `OSError` if the file cannot be written.
        """

    def _new_hasher(self) -> Hasher:
        return Sha1() if self._check_hash else EmptyHasher()

    def _chunk_size(self, content_length: int) -> int:
        if self._force_chunk_size is not None:
            return self._force_chunk_size
        ideal = max(content_length // _CHUNKS_PER_FILE, self._align_factor)
        size = min(max(ideal, self._min_chunk_size), self._max_chunk_size)
        return size // self._align_factor * self._align_factor


def is_decoded(download_version: DownloadVersion) -> bool:
    """Is the content decoded on the way, so that its length and SHA-1 are not B2's?"""
    return bool(
        download_version.content_encoding and download_version.api.api_config.decode_content
    )


def range_of(response: Any, download_version: DownloadVersion) -> Range:
    """Which bytes of the file a response brings."""
    request = getattr(response, 'request', None)
    asked = None if request is None else request.headers.get('Range')
    if asked is None:
        return download_version.range_
    range_ = Range.from_header(asked)
    last = min(range_.end, download_version.size - 1)
    return Range(range_.start, last) if range_.start <= last else EMPTY_RANGE


def body_of(
    response: Any,
    range_: Range,
    download_version: DownloadVersion,
    session: B2Session,
    encryption: EncryptionSetting | None,
    chunk_size: int,
) -> ContinuedBody:
    """The bytes of a range, from a response that begins with them, or from a new one for None.

    What is asked for is exactly this version: the name that the response was asked by may
    stand for a newer one by now.
    """
    url = session.get_download_url_by_id(download_version.id_)
    if response is None:
        response = open_response(session, url, range_.as_tuple(), encryption)
    return ContinuedBody(
        session,
        url,
        encryption,
        response,
        start=range_.start,
        length=range_.size(),
        chunk_size=chunk_size,
    )


def receive(body: ContinuedBody, length: int, take: Callable[[bytes], object]) -> int:
    """Hand the first bytes of a body on; returns how many they were.

    :param length: how many are wanted; a chunk may have more
    :param take: takes the next bytes; it returns True to stop
    """
    received = 0
    try:
        while received < length and (chunk := body.next_chunk()):
            chunk = chunk[: length - received]
            received += len(chunk)
            if take(chunk):
                break
    finally:
        body.close()
    return received


def write_all(file: BinaryIO, data: bytes | memoryview) -> None:
    """Write all of the data, also into a file that takes less at a time.

    Raises `BlockingIOError` for a file that does not wait until it can take more.
    """
    while data:
        written: object = file.write(data)
        if isinstance(written, int) and written > 0:
            data = memoryview(data)[written:]
        elif isinstance(written, int) or isinstance(file, io.RawIOBase):
            raise BlockingIOError(errno.EAGAIN, 'the file does not wait until it can take more')
        else:
            # An object of the program's own that does not say.
            return
