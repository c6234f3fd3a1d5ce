"""Streams of unknown length, cut into parts in memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from ..outbound.upload_source import UploadSourceBytes
from .growth import grown_part_size
from .planner import EmergePart
from .stretches import Stretch


def read_parts(stream: Any, part_size: int, read_size: int) -> Iterator[EmergePart]:
    """Read a stream to its end, one part ahead of who asks for them.

    A stream without content has one part without content.

    :param stream: has a method ``read`` that takes a number of bytes and returns at most as many,
                none at the end
    :param part_size: bytes of a part; later ones grow with the stream, see `grown_part_size`
    :param read_size: bytes to ask the stream for at a time

    Raises `TypeError` for a stream of text, `BlockingIOError` for one that has nothing now.
    """
    rest = b''
    before = 0
    while True:
        size = grown_part_size(part_size, before)
        data, rest = _read_part(stream, rest, size, read_size)
        if data or not before:
            yield _part_of(data)
        before += len(data)
        if len(data) < size:
            return
        # Only whoever stores the part keeps it while the next one is read.
        del data


def _read_part(stream: Any, rest: bytes, size: int, read_size: int) -> tuple[bytes, bytes]:
    """The next bytes, as many as ``size`` but at the end, and what was read beyond them."""
    if len(rest) >= size:
        return rest[:size], rest[size:]
    # Its value is taken out of it without a copy.
    buffer = io.BytesIO()
    length = buffer.write(rest)
    while length < size:
        data = stream.read(read_size)
        if data is None:
            raise BlockingIOError('the stream does not wait for its next bytes')
        if not data:
            return buffer.getvalue(), b''
        left = size - length
        buffer.write(data[:left])
        length += min(len(data), left)
    return buffer.getvalue(), bytes(data[left:])


def _part_of(data: bytes) -> EmergePart:
    return EmergePart((Stretch(UploadSourceBytes(data), 0, len(data)),) if data else ())
