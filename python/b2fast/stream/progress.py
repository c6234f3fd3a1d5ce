"""Streams that tell a progress listener what is read or written."""

from __future__ import annotations

import os
from typing import Any

from ..progress import AbstractProgressListener
from .wrapper import StreamWrapper, known_length


class AbstractStreamWithProgress(StreamWrapper):
    """Base of the two: subclasses say when something was done.

    :param stream: the stream to read from or to write to
    :param progress_listener: who is told
    :param offset: bytes that were done before, and count
    """

    def __init__(
        self, stream: Any, progress_listener: AbstractProgressListener, offset: int = 0
    ) -> None:
        super().__init__(stream)
        if progress_listener is None:
            raise ValueError('a progress listener is needed; DoNothingProgressListener is one')
        self.progress_listener = progress_listener
        self.bytes_completed = 0
        self.offset = offset

    def _progress_update(self, delta: int) -> None:
        """Count bytes and tell the listener the sum."""
        self.bytes_completed += delta
        self.progress_listener.bytes_completed(self.bytes_completed + self.offset)

    def __str__(self) -> str:
        return str(self.stream)


class ReadingStreamWithProgress(AbstractStreamWithProgress):
    """Counts what is read. After a `seek` the count goes on from the new position.

    :param length: what ``len()`` says, in bytes; without it ``len()`` raises `TypeError`
    """

    def __init__(
        self,
        stream: Any,
        progress_listener: AbstractProgressListener,
        offset: int = 0,
        *,
        length: int | None = None,
    ) -> None:
        super().__init__(stream, progress_listener, offset)
        self.length = length

    def read(self, size: int | None = None) -> bytes:
        """Read at most ``size`` bytes, or all that are left; none at the end."""
        data = super().read(size)
        self._progress_update(len(data))
        return data

    def seek(self, pos: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position; returns it. The listener is told at the next `read`."""
        self.bytes_completed = super().seek(pos, whence)
        return self.bytes_completed

    def __len__(self) -> int:
        return known_length(self.length)


class WritingStreamWithProgress(AbstractStreamWithProgress):
    """Counts what is written; a `seek` changes nothing, since parts may come in any order."""

    def write(self, data: Any) -> int:
        """Write bytes; returns how many were taken, which are those that count."""
        written: int | None = super().write(data)
        # Streams that take everything, written by users, mostly return nothing.
        taken = len(data) if written is None else written
        self._progress_update(taken)
        return taken
