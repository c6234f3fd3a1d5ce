"""Receiving a file in several stretches at a time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from typing import TYPE_CHECKING, Any, BinaryIO

from ....cancel import ending_together, in_this_context
from ....exception import TruncatedOutput
from ....utils.range_ import Range
from ....utils.waiting import SLICE
from ..continued_body import ContinuedBody
from .abstract import AbstractDownloader, EmptyHasher, Hasher, body_of, range_of, receive
from .writer_thread import WriterThread

if TYPE_CHECKING:
    from ....encryption.setting import EncryptionSetting
    from ....file_version import DownloadVersion
    from ....session import B2Session


class PartToDownload:
    """A stretch of a file, and where in the local file it goes; both are `Range`."""

    def __init__(self, cloud_range: Range, local_range: Range) -> None:
        self.cloud_range = cloud_range
        self.local_range = local_range

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.cloud_range}, {self.local_range})'


def gen_parts(cloud_range: Range, local_range: Range, part_count: int) -> list[PartToDownload]:
    """Divide a range into stretches that differ by a byte at most, the shorter ones first.

    Raises `ValueError` if the ranges have different sizes, or fewer bytes than stretches.
    """
    size = cloud_range.size()
    if size != local_range.size() or not 0 < part_count <= size:
        raise ValueError(f'{cloud_range} and {local_range} cannot be {part_count} parts')
    parts = []
    first = 0
    for number in range(part_count):
        last = first + (size - first) // (part_count - number) - 1
        parts.append(
            PartToDownload(cloud_range.subrange(first, last), local_range.subrange(first, last))
        )
        first = last + 1
    return parts


class ParallelDownloader(AbstractDownloader):
    """Receives stretches of a file on several threads, while one more thread writes them.

    The file must be seekable and readable: what the first stretch does not have is read back
    for the SHA-1.

    :param min_part_size: bytes that a stretch has at least
    :param max_streams: how many there are at most; as many as the thread pool has workers if
                None
    """

    FINISH_HASHING_BUFFER_SIZE = 1024 * 1024
    """Bytes that are read back at a time."""
    SUPPORTS_DECODE_CONTENT = False

    def __init__(self, min_part_size: int, max_streams: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_streams = max_streams
        self.min_part_size = min_part_size

    def download(
        self,
        file: BinaryIO,
        response: Any,
        download_version: DownloadVersion,
        session: B2Session,
        encryption: EncryptionSetting | None = None,
    ) -> tuple[int, str]:
        """See `AbstractDownloader.download`."""
        range_ = range_of(response, download_version)
        size = range_.size()
        hasher = self._new_hasher()
        if not size:
            response.close()
            return 0, hasher.hexdigest()
        start = file.tell()
        parts = gen_parts(
            range_, Range(start, start + size - 1), min(self._number_of_streams(size), size)
        )
        chunk_size = self._chunk_size(size)

        def open_part(part: PartToDownload) -> ContinuedBody:
            return body_of(
                response if part is parts[0] else None,
                part.cloud_range,
                download_version,
                session,
                encryption,
                chunk_size,
            )

        try:
            with WriterThread(file, max_queue_depth=2 * len(parts)) as writer:
                self._receive_parts(parts, open_part, writer, hasher)
        finally:
            response.close()
        if self._check_hash:
            self._hash_rest(file, hasher, parts[0].local_range.end + 1, start + size)
        return writer.total, hasher.hexdigest()

    def _number_of_streams(self, size: int) -> int:
        most = self.max_streams
        if most is None:
            pool = self._thread_pool
            # A `ThreadPoolExecutor` has no public name for it.
            most = pool.get_size() if hasattr(pool, 'get_size') else pool._max_workers
        return max(1, min(size // self.min_part_size, most))

    def _receive_parts(
        self,
        parts: list[PartToDownload],
        open_part: Callable[[PartToDownload], ContinuedBody],
        writer: WriterThread,
        hasher: Hasher,
    ) -> None:
        def receive_one(part: PartToDownload, digest: Hasher) -> None:
            position, size = part.local_range.start, part.local_range.size()

            def take(chunk: bytes) -> bool:
                nonlocal position
                writer.queue_write(position, chunk)
                digest.update(chunk)
                position += len(chunk)
                return token.is_cancelled

            received = receive(open_part(part), size, take)
            if received < size and not token.is_cancelled:
                raise TruncatedOutput(received, size)

        jobs: list[Future[None]] = []
        try:
            # Whoever is left would wait for a writer that is gone.
            with ending_together() as token:
                for part in parts:
                    digest = hasher if part is parts[0] else EmptyHasher()
                    jobs.append(
                        self._thread_pool.submit(in_this_context(receive_one), part, digest)
                    )
                missing = set(jobs)
                while missing:
                    done, missing = wait(missing, SLICE, FIRST_EXCEPTION)
                    for job in done:
                        job.result()
        finally:
            wait([job for job in jobs if not job.cancel()])

    def _hash_rest(self, file: BinaryIO, hasher: Hasher, position: int, end: int) -> None:
        file.seek(position)
        while position < end:
            data = file.read(min(self.FINISH_HASHING_BUFFER_SIZE, end - position))
            if not data:
                raise TruncatedOutput(position, end)
            hasher.update(data)
            position += len(data)
