"""A stretch of a stream as a stream."""

from __future__ import annotations

import io
import os
from typing import Any

from .base import ReadOnlyStreamMixin
from .wrapper import StreamWithLengthWrapper

_SKIPPED_AT_A_TIME = 1024 * 1024


class RangeOfInputStream(ReadOnlyStreamMixin, StreamWithLengthWrapper):
    """The bytes of a stream from an offset on, at most so many.

    Positions count from the offset. Closing it closes the stream.

    :param stream: a stream that nobody else reads meanwhile; one that cannot be sought, as a pipe,
        is read up to the offset
    :param offset: where the stretch starts, in bytes
    :param length: the bytes of the stretch, which may reach beyond the end of the stream
    """

    length: int

    def __init__(self, stream: Any, offset: int, length: int) -> None:
        super().__init__(stream, length)
        self.offset = offset
        self.relative_pos = 0
        go_to(self.stream, self.offset)

    def seek(self, pos: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position, counted from the offset; returns it.

        :raises ValueError: if the position is negative.
        :raises io.UnsupportedOperation: if the position is not to be counted from the offset.
        """
        if whence != os.SEEK_SET:
            raise io.UnsupportedOperation('a range is only sought from its start')
        if pos < 0:
            raise ValueError(f'negative seek value {pos}')
        self.relative_pos = super().seek(self.offset + pos) - self.offset
        return self.relative_pos

    def tell(self) -> int:
        """The position, counted from the offset."""
        return self.relative_pos

    def read(self, size: int | None = None) -> bytes:
        """Read at most ``size`` bytes, or all that are left of the stretch; none at its end."""
        left = max(0, self.length - self.relative_pos)
        data = super().read(left if size is None or size < 0 else min(size, left))
        self.relative_pos += len(data)
        return data

    def close(self) -> None:
        """Close the stream as well."""
        super().close()
        self.stream.close()


def go_to(stream: Any, offset: int) -> None:
    """Bring a stream that was just opened to an offset, by reading if it cannot be sought.

    A stream that ends before has nothing more to give.
    """
    seekable = getattr(stream, 'seekable', None)
    if hasattr(stream, 'seek') if seekable is None else seekable():
        stream.seek(offset)
        return
    while offset > 0:
        skipped = len(stream.read(min(offset, _SKIPPED_AT_A_TIME)))
        if not skipped:
            return
        offset -= skipped


def wrap_with_range(stream: Any, stream_length: int, range_offset: int, range_length: int) -> Any:
    """The stretch of the stream; the stream itself if the stretch is all of it."""
    if (range_offset, range_length) == (0, stream_length):
        return stream
    return RangeOfInputStream(stream, range_offset, range_length)
