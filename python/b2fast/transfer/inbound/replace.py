"""Writing a file so that its old content stays until the new one is complete."""

from __future__ import annotations

import contextlib
import os
import stat
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

from ..._core.transfer import create_beside

if TYPE_CHECKING:
    from ..._core.transfer import Place


class ReplacedFile:
    """A context manager that gives a file to write (``file``), beside the final name.

    Leaving it without an exception puts the file in its place in one step, with the permission
    bits of what was there; leaving it with one removes what was written. What a killed process
    left, the next one for the same name removes. A symbolic link in a path is followed, so that
    the file it names is replaced and not the link.

    :param path: the final name, or the place of a file below a directory
    :param mtime_ns: the modification time to set, in nanoseconds since 1970
    """

    def __init__(self, path: str | Place, mtime_ns: int | None) -> None:
        # A place keeps the directory open that its path leads through.
        self._place = path
        self._path = os.path.realpath(path) if isinstance(path, str) else path.path
        self._mtime_ns = mtime_ns

    def __enter__(self) -> Self:
        # Less the umask, which tempfile would not take into account.
        descriptor, self._temporary = create_beside(self._path, 0o666)
        self.file: BinaryIO = os.fdopen(descriptor, 'w+b')
        try:
            with contextlib.suppress(FileNotFoundError):
                mode = os.lstat(self._path).st_mode
                if stat.S_ISREG(mode):
                    os.fchmod(descriptor, stat.S_IMODE(mode))
        except BaseException:
            self._discard()
            raise
        return self

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self.file.write(data)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is not None:
            self._discard()
            return
        try:
            self.file.flush()
            if self._mtime_ns is not None:
                os.utime(self.file.fileno(), ns=(self._mtime_ns, self._mtime_ns))
            self.file.close()
            os.replace(self._temporary, self._path)
        except BaseException:
            self._discard()
            raise

    def _discard(self) -> None:
        # What failed before is what the caller wants to know.
        with contextlib.suppress(OSError):
            self.file.close()
        with contextlib.suppress(OSError):
            os.unlink(self._temporary)
