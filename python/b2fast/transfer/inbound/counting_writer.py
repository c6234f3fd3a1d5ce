"""A file that says how much was written into it."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import BinaryIO


class CountingWriter:
    """Passes calls on to a file and counts what is written, wherever it goes.

    :param progress: is told the number of bytes so far
    """

    def __init__(self, file: BinaryIO, progress: Callable[[int], None]) -> None:
        self._file = file
        self._progress = progress
        self._written = 0

    def write(self, data: bytes) -> int:
        """Write bytes; returns how many."""
        count: int | None = self._file.write(data)
        if count is None and isinstance(self._file, io.RawIOBase):
            # It takes nothing now.
            return 0
        self._written += len(data) if count is None else count
        self._progress(self._written)
        return len(data) if count is None else count

    def read(self, size: int = -1) -> bytes:
        """Read bytes back."""
        return self._file.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to an offset; returns it."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The offset."""
        return self._file.tell()

    def flush(self) -> None:
        """Hand on what is buffered."""
        self._file.flush()

    def seekable(self) -> bool:
        """Can it be written at any offset?"""
        return self._file.seekable()
