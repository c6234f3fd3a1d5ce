"""A file that gets a modification time when it is closed."""

from __future__ import annotations

import io
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

from ...utils.mtime import mtime_ns_of
from .destination import destination_errors


class MtimeUpdatedFile:
    """A context manager that opens a file for writing and sets its time at the end.

    Raises the `DestinationError` that fits if it cannot be opened.

    :param mod_time_millis: the modification time, in milliseconds since 1970
    :param buffering: as for `open`; None for its default
    """

    def __init__(
        self,
        path_: str | Path,
        mod_time_millis: int,
        mode: Literal['wb', 'wb+'] = 'wb+',
        buffering: int | None = None,
    ) -> None:
        self.path = Path(path_)
        self.mode = mode
        self.buffering = -1 if buffering is None else buffering
        self.mod_time_to_set = mod_time_millis
        self.file: IO[bytes] | None = None

    @property
    def path_(self) -> str:
        """The path as text."""
        return str(self.path)

    def _opened(self) -> IO[bytes]:
        if self.file is None:
            raise io.UnsupportedOperation(f'{self.path} is open only in a with statement')
        return self.file

    def write(self, value: bytes) -> int:
        """Write bytes; returns how many."""
        return self._opened().write(value)

    def read(self, *a: Any) -> bytes:
        """Read bytes back."""
        return self._opened().read(*a)

    def seekable(self) -> bool:
        """Can it be written at any offset?"""
        return self._opened().seekable()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to an offset; returns it."""
        return self._opened().seek(offset, whence)

    def tell(self) -> int:
        """The offset."""
        return self._opened().tell()

    def __enter__(self) -> Self:
        with destination_errors(self.path_):
            self.file = open(self.path, self.mode, buffering=self.buffering)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._opened().close()
        mtime_ns = mtime_ns_of(self.mod_time_to_set)
        if mtime_ns is not None:
            os.utime(self.path, ns=(mtime_ns, mtime_ns))

    def __str__(self) -> str:
        return self.path_
