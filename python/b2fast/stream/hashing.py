"""A stream with its hash behind it."""

from __future__ import annotations

import io
import os
from typing import Any

from .._core.hashing import Sha1
from ..utils.stream_hashing import Digest
from .base import ReadOnlyStreamMixin
from .wrapper import StreamWithLengthWrapper


class StreamWithHash(ReadOnlyStreamMixin, StreamWithLengthWrapper):
    """A stream, and after its last byte the SHA-1 of all of it, as 40 hex digits.

    B2 takes the SHA-1 of an upload there, if it is announced as ``hex_digits_at_end``.

    :param stream: the stream to read
    :param stream_length: its bytes, if ``len()`` is needed; that has the hash included
    """

    def __init__(self, stream: Any, stream_length: int | None = None) -> None:
        self.digest = self.get_digest()
        length = None
        if stream_length is not None:
            length = stream_length + len(self.digest.hexdigest())
        super().__init__(stream, length)
        self.hash: str | None = None
        self.hash_read = 0

    @classmethod
    def get_digest(cls) -> Digest:
        """A new hash function; a subclass may take another one."""
        return Sha1()

    def seek(self, pos: int, whence: int = os.SEEK_SET) -> int:
        """Start again; no other position is possible.

        :raises io.UnsupportedOperation: if another one is asked for.
        """
        if (pos, whence) != (0, os.SEEK_SET):
            raise io.UnsupportedOperation('a stream with its hash is only sought to its start')
        self.digest = self.get_digest()
        self.hash = None
        self.hash_read = 0
        return super().seek(0)

    def read(self, size: int | None = None) -> bytes:
        """Read ``size`` bytes, or all that are left; fewer only at the end of the hash."""
        if size is not None and size < 0:
            size = None
        data = b'' if self.hash is not None else self._read_content(size)
        if self.hash is None:
            return data
        end = None if size is None else self.hash_read + size - len(data)
        digits = self.hash[self.hash_read : end]
        self.hash_read += len(digits)
        return data + digits.encode('ascii')

    def _read_content(self, size: int | None) -> bytes:
        """Read from the stream; where it ends, take the hash."""
        if size is None:
            data = super().read()
            self.digest.update(data)
            self.hash = self.digest.hexdigest()
            return data
        pieces = []
        while size > 0:
            piece = super().read(size)
            if not piece:
                self.hash = self.digest.hexdigest()
                break
            self.digest.update(piece)
            pieces.append(piece)
            size -= len(piece)
        return b''.join(pieces)
