"""Writing a file so that its old content stays until the new one is complete."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from types import TracebackType
from typing import BinaryIO, Self

from ..._core.transfer import TEMPORARY_SUFFIXES


class ReplacedFile:
    """A context manager that gives a file to write (``file``), beside the final name.

    Leaving it without an exception puts the file in its place in one step, with the permission
    bits of what was there; leaving it with one removes what was written. A symbolic link is
    followed, so that the file it names is replaced and not the link.

    :param path: the final name
    :param mtime_ns: the modification time to set, in nanoseconds since 1970
    """

    _NAME_TOKEN_BYTES = 8

    def __init__(self, path: str, mtime_ns: int | None) -> None:
        self._path = os.path.realpath(path)
        self._mtime_ns = mtime_ns
        directory, name = os.path.split(self._path)
        token = secrets.token_hex(self._NAME_TOKEN_BYTES)
        # A name may have 255 bytes; the token makes it unique, not the rest.
        self._temporary = os.path.join(directory, f'.{name[:32]}.{token}{TEMPORARY_SUFFIXES[0]}')

    def __enter__(self) -> Self:
        # os.open applies the umask to the bits of a new file; tempfile would not.
        descriptor = os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        self.file: BinaryIO = os.fdopen(descriptor, 'w+b')
        try:
            with contextlib.suppress(FileNotFoundError):
                os.fchmod(descriptor, stat.S_IMODE(os.stat(self._path).st_mode))
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
                os.utime(self._temporary, ns=(self._mtime_ns, self._mtime_ns))
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
