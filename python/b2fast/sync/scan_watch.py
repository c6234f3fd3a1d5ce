"""Remembers what a scan had to leave out."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from ..exception import LocalFileError, UnsupportedFilename
from .report_proxy import ReportProxy
from .result import SyncFailure

if TYPE_CHECKING:
    from .report import SyncReport


class ScanWatch(ReportProxy):
    """Remembers what scans leave out.

    A scan tells the report what it leaves out, and goes on; a sync has to know.  Symbolic links
    that lead in a circle are no loss: what they lead to is found without them.

    :ivar failures: what was left out
    """

    def __init__(self, reporter: SyncReport | None) -> None:
        super().__init__(reporter)
        self.failures: list[SyncFailure] = []

    def close(self) -> None:
        """Nothing: the scans end long before the sync does."""

    def local_access_error(self, path: str) -> None:
        """A local file is not there."""
        reason = f'{os.strerror(errno.ENOENT)}: it vanished, or is a broken symbolic link'
        self._add(path, LocalFileError(path, errno.ENOENT, reason))
        self._reporter.local_access_error(path)

    def local_permission_error(self, path: str) -> None:
        """A local file or directory may not be read."""
        self._add(path, LocalFileError(path, errno.EACCES, os.strerror(errno.EACCES)))
        self._reporter.local_permission_error(path)

    def invalid_name(self, path: str, error: str) -> None:
        """A file has a name that the other side cannot have."""
        self._add(path, UnsupportedFilename(f'the name cannot be used ({error})', path))
        self._reporter.invalid_name(path, error)

    def _add(self, path: str, error: Exception) -> None:
        self.failures.append(SyncFailure(path, 'scan', error))
