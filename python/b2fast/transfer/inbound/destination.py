"""Where a download is written to, and what can be wrong with that place."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from ...exception import (
    B2Error,
    DestinationDirectoryDoesntAllowOperation,
    DestinationDirectoryDoesntExist,
    DestinationError,
    DestinationIsADirectory,
    DestinationParentIsNotADirectory,
    LocalFileError,
)

_CLASSES: dict[int, type[DestinationError]] = {
    errno.ENOENT: DestinationDirectoryDoesntExist,
    errno.ENOTDIR: DestinationParentIsNotADirectory,
    # Files are replaced: what must not exist yet is a directory that is made for them.
    errno.EEXIST: DestinationParentIsNotADirectory,
    errno.EISDIR: DestinationIsADirectory,
    errno.EACCES: DestinationDirectoryDoesntAllowOperation,
    errno.EPERM: DestinationDirectoryDoesntAllowOperation,
    errno.EROFS: DestinationDirectoryDoesntAllowOperation,
}


@contextmanager
def destination_errors(path: str) -> Iterator[None]:
    """Turn errors of the operating system about ``path`` into those of this package.

    Errors of the network and of the service, some of which are `OSError` too, pass.
    """
    try:
        yield
    except LocalFileError as error:
        if error.errno not in _CLASSES:
            raise
        raise _CLASSES[error.errno](path) from None
    except (B2Error, ConnectionError, TimeoutError):
        raise
    except OSError as error:
        if error.errno in _CLASSES:
            raise _CLASSES[error.errno](path) from None
        raise LocalFileError(path, error.errno, error.strerror or str(error)) from error


def check_destination(path: str) -> None:
    """Raise what `destination_errors` would, before anything is downloaded.

    A file that may not be written is an error too: replacing it needs no right to it, but its
    owner wants to be asked.
    """
    with destination_errors(path):
        real = os.path.realpath(path)
        if os.path.isdir(real):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        directory = os.path.dirname(real)
        if not stat.S_ISDIR(os.stat(directory).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), directory)
        if os.path.exists(real):
            os.close(os.open(real, os.O_WRONLY))
