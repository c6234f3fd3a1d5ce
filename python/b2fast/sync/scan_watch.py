"""Remembers what a scan had to leave out."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

from ..exception import LocalFileError, UnsupportedFilename
from .result import SyncFailure

if TYPE_CHECKING:
    from .report import SyncReport


class ScanWatch:
    """Stands between the scans of a sync and its report, if there is one.

    A scan tells the report what it leaves out, and goes on; a sync has to know.  Symbolic links
    that lead in a circle are no loss: what they lead to is found without them.

    :ivar failures: what was left out
    """

    def __init__(self, reporter: SyncReport | None) -> None:
        self._reporter = reporter
        self.failures: list[SyncFailure] = []

    def __getattr__(self, name: str) -> Any:
        # What it does not watch is between the scans and the report.
        return _ignore if self._reporter is None else getattr(self._reporter, name)

    def close(self) -> None:
        """Nothing: the scans end long before the sync does."""

    def local_access_error(self, path: str) -> None:
        """A local file is not there."""
        reason = f'{os.strerror(errno.ENOENT)}: it vanished, or is a broken symbolic link'
        self._add(path, LocalFileError(path, errno.ENOENT, reason))
        if self._reporter is not None:
            self._reporter.local_access_error(path)

    def local_permission_error(self, path: str) -> None:
        """A local file or directory may not be read."""
        self._add(path, LocalFileError(path, errno.EACCES, os.strerror(errno.EACCES)))
        if self._reporter is not None:
            self._reporter.local_permission_error(path)

    def invalid_name(self, path: str, error: str) -> None:
        """A file has a name that the other side cannot have."""
        self._add(path, UnsupportedFilename(f'the name cannot be used ({error})', path))
        if self._reporter is not None:
            self._reporter.invalid_name(path, error)

    def _add(self, path: str, error: Exception) -> None:
        self.failures.append(SyncFailure(path, 'scan', error))


def _ignore(*_args: Any, **_kwargs: Any) -> None:
    """Takes the place of the methods of a report."""
