"""A download as a stream, received ahead of whoever reads it."""

from __future__ import annotations

import io
import os
import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING

from ...cancel import CancelToken, cancel_scope, check_scope, naming_transfer
from ...utils.waiting import SLICE

if TYPE_CHECKING:
    from ...progress import TransferProgress
    from ..seam import OpenDownload
    from .content_check import ContentCheck

_CHUNK_SIZE = 256 * 1024
_GRACE = 0.8
"""Seconds that `close` waits for the thread, which notices within a fraction of them; a raw API of
the program's own may have to wait for the network."""


class DownloadStream(io.RawIOBase):
    """The content of a download, in order; it is not to be sought.

    A thread of its own receives up to ``read_ahead`` bytes more than were read, so that small
    reads do not each wait for the network. It ends with the stream: when it was read to its end,
    failed, was closed or is collected.

    An error is raised by the read that comes to where it happened, and by each further one. A
    `cancel_scope` ends the reads that are in it. The last bytes of a file are handed out only
    when its length and SHA-1 are right.

    :param file_name: for errors
    :param response: is closed in the end
    :param check: what the content has to be
    :param read_ahead: bytes
    """

    def __init__(
        self,
        file_name: str,
        response: OpenDownload,
        check: ContentCheck,
        progress: TransferProgress,
        read_ahead: int,
    ) -> None:
        super().__init__()
        self._progress = progress
        self._position = 0
        # The thread knows this and not the stream, which could not be collected otherwise.
        self._ahead = _ReadAhead(file_name, response, check, read_ahead)
        self._stop = weakref.finalize(self, self._ahead.stop)

    def readable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """How many bytes were read."""
        self._check_open()
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """Read at most ``size`` bytes, those that are there; none at the end. All, without size.

        `io.BufferedReader` makes a stream of it that waits for as many bytes as are asked for.
        """
        if size is None or size < 0:
            return self.readall()
        self._check_open()
        if size == 0:
            return b''
        data = self._ahead.take(size)
        self._position += len(data)
        self._progress.update(self._position)
        if not data:
            self._progress.finish()
        return data

    def readall(self) -> bytes:
        """Read all that is left."""
        pieces = []
        while piece := self.read(_CHUNK_SIZE):
            pieces.append(piece)
        return b''.join(pieces)

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Read as `read`, into a buffer; returns the number of bytes."""
        with memoryview(buffer).cast('B') as view:
            data = self.read(len(view))
            view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Give up what was not read."""
        self._stop()
        super().close()

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError('the stream is closed')


class _ReadAhead:
    """Receives into memory, up to a limit, in a thread that starts with the first read."""

    def __init__(
        self, file_name: str, response: OpenDownload, check: ContentCheck, limit: int
    ) -> None:
        self._file_name = file_name
        self._response = response
        self._check = check
        self._limit = limit
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._token = CancelToken()
        self._thread: threading.Thread | None = None
        self._blocks: deque[memoryview] = deque()
        self._size = 0
        self._is_at_end = False
        self._error: BaseException | None = None

    def take(self, size: int) -> bytes:
        """The next bytes, at most so many; waits for the first one."""
        if self._pid != os.getpid():
            raise RuntimeError('the stream belongs to the parent process: open it again')
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name='b2fast-read-ahead', daemon=True
                )
                self._thread.start()
            while not self._blocks:
                if self._error is not None:
                    raise self._error
                if self._is_at_end:
                    return b''
                with naming_transfer(self._file_name, 'download it again'):
                    check_scope()
                self._changed.wait(SLICE)
            block = self._blocks[0]
            if len(block) > size:
                self._blocks[0] = block[size:]
            else:
                self._blocks.popleft()
            data = bytes(block[:size])
            self._size -= len(data)
            self._changed.notify_all()
            return data

    def stop(self) -> None:
        """End the thread, and close what was never read."""
        if self._pid != os.getpid():
            # The thread is the parent's, and may have held the lock during the fork.
            return
        self._token.cancel()
        thread = self._thread
        if thread is None:
            self._response.close()
            return
        with self._changed:
            self._blocks.clear()
            self._changed.notify_all()
        if thread is not threading.current_thread():
            thread.join(_GRACE)

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            with cancel_scope(self._token):
                while chunk := self._response.read(min(_CHUNK_SIZE, self._limit)):
                    self._check.update(chunk)
                    if self._check.is_complete():
                        self._check.finish()
                    if not self._put(chunk):
                        break
                else:
                    self._check.finish()
        except BaseException as raised:
            error = raised
        finally:
            self._response.close()
        with self._changed:
            self._error = error
            self._is_at_end = True
            self._changed.notify_all()

    def _put(self, chunk: bytes) -> bool:
        """Leave bytes to the reader when there is room; False if there is none any more."""
        with self._changed:
            while self._size and self._size + len(chunk) > self._limit:
                if self._token.is_cancelled:
                    return False
                self._changed.wait()
            self._blocks.append(memoryview(chunk))
            self._size += len(chunk)
            self._changed.notify_all()
            return not self._token.is_cancelled
