"""Several streams in a row as one stream."""

from __future__ import annotations

import io
import os
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

from .base import ReadOnlyStreamMixin


class StreamOpener(metaclass=ABCMeta):
    """Opens a stream, each time at its start, as often as it is called."""

    @abstractmethod
    def __call__(self) -> Any:
        """Open the stream."""

    def cleanup(self) -> None:  # noqa: B027  # not every opener keeps something
        """Give up what is kept for the next call. Called when nobody will open the stream."""


class ChainedStream(ReadOnlyStreamMixin, io.IOBase):
    """Reads one stream after the other; each is opened when it is needed and closed at its end.

    It can be read again from the start, for which the streams are opened again.

    :param stream_openers: callables without parameters that open the streams; those with a method
        ``cleanup`` (see `StreamOpener`) have it called when the chain is closed

    Raises `ValueError` if there is none.
    """

    def __init__(self, stream_openers: Iterable[Callable[[], Any]]) -> None:
        self.stream_openers = list(stream_openers)
        self._next = 0
        self._current: Any = None
        self._position = 0
        super().__init__()
        if not self.stream_openers:
            raise ValueError('a chain needs at least one stream')

    @property
    def stream(self) -> Any:
        """The stream that is read at the moment, opened if none was."""
        if self._current is None:
            self._open_next()
        return self._current

    def _open_next(self) -> None:
        self._close_current()
        self._current = self.stream_openers[self._next]()
        self._next += 1

    def _close_current(self) -> None:
        if self._current is not None:
            self._current.close()
            self._current = None

    def seekable(self) -> bool:
        """Yes, to the start."""
        return True

    def readable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """How many bytes were read."""
        return self._position

    def seek(self, pos: int, whence: int = os.SEEK_SET) -> int:
        """Start again; no other position is possible.

        :raises io.UnsupportedOperation: if another one is asked for.
        """
        if (pos, whence) != (0, os.SEEK_SET):
            raise io.UnsupportedOperation('a chain of streams is only sought to its start')
        self._check_open()
        self._close_current()
        self._next = 0
        self._position = 0
        return 0

    def read(self, size: int | None = None) -> bytes:
        """Read ``size`` bytes, or all that are left; fewer only at the end of the last stream."""
        self._check_open()
        left = None if size is None or size < 0 else size
        pieces = []
        while left is None or left > 0:
            piece = self.stream.read() if left is None else self.stream.read(left)
            pieces.append(piece)
            if left is not None:
                left -= len(piece)
            if not piece:
                if self._next == len(self.stream_openers):
                    break
                self._open_next()
        data = b''.join(pieces)
        self._position += len(data)
        return data

    def close(self) -> None:
        """Close the stream that is open, and have the openers clean up."""
        if self.closed:
            return
        super().close()
        self._close_current()
        for opener in self.stream_openers:
            if hasattr(opener, 'cleanup'):
                opener.cleanup()

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError('the stream is closed')
