"""A stream that passes everything on to another one."""

from __future__ import annotations

import io
import os
from typing import Any


class StreamWrapper(io.IOBase):
    """Passes reads, writes and seeks on to another stream.

    Closing it flushes the other stream and leaves it open; throwing it away does nothing.

    :param stream: the stream to read from or to write to
    """

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        super().__init__()

    def __del__(self) -> None:
        # IOBase would close, and so would use a stream that its owner may still be reading.
        pass

    def seekable(self) -> bool:
        """Can the stream be read or written at any offset?"""
        return bool(self.stream.seekable())

    def seek(self, pos: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position; returns it, in bytes from the start."""
        position: int = self.stream.seek(pos, whence)
        return position

    def tell(self) -> int:
        """The position, in bytes from the start."""
        position: int = self.stream.tell()
        return position

    def truncate(self, size: int | None = None) -> int:
        """Cut the stream to a size in bytes, or at its position; returns the size."""
        new_size: int = self.stream.truncate(size)
        return new_size

    def flush(self) -> None:
        """Have what was written passed on."""
        self.stream.flush()

    @property
    def closed(self) -> bool:
        """Is the other stream closed?"""
        return bool(self.stream.closed)

    def readable(self) -> bool:
        """Can the stream be read?"""
        return bool(self.stream.readable())

    def read(self, size: int | None = None) -> bytes:
        """Read at most ``size`` bytes, or all that are left; none at the end."""
        data: bytes = self.stream.read() if size is None else self.stream.read(size)
        return data

    def writable(self) -> bool:
        """Can the stream be written?"""
        return bool(self.stream.writable())

    def write(self, data: Any) -> int:
        """Write bytes; returns how many were taken."""
        written: int = self.stream.write(data)
        return written


class StreamWithLengthWrapper(StreamWrapper):
    """A wrapper with a length.

    :param length: what ``len()`` says, in bytes; without it ``len()`` raises `TypeError`
    """

    def __init__(self, stream: Any, length: int | None = None) -> None:
        super().__init__(stream)
        self.length = length

    def __len__(self) -> int:
        return known_length(self.length)


def known_length(length: int | None) -> int:
    """The length of a stream. Raises `TypeError` if nobody has said it."""
    if length is None:
        raise TypeError('the length of the stream is not known')
    return length
