"""Where a download is written to, and what can be wrong with that place."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..._core.transfer import TransferError
from ...exception import (
    B2Error,
    DestinationDirectoryDoesntAllowOperation,
    DestinationDirectoryDoesntExist,
    DestinationError,
    DestinationIsADirectory,
    DestinationParentIsNotADirectory,
    LocalFileError,
)
from ..errors import Direction, exception_of

if TYPE_CHECKING:
    from ..._core.transfer import Anchor, Place

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
        directory = os.path.dirname(real)
        if not stat.S_ISDIR(os.stat(directory).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), directory)
        _check_replaceable(real)


def check_place(place: Place, path: str) -> None:
    """As `check_destination`, for the place of a path."""
    with destination_errors(path):
        _check_replaceable(place.path)


def _check_replaceable(path: str) -> None:
    """Is nothing there, or what may be replaced? No link at the end of the path is followed."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if stat.S_ISREG(mode):
        os.close(os.open(path, os.O_WRONLY | os.O_NOFOLLOW))


def place_below(anchor: Anchor, path: str) -> Place:
    """Where the file of a path goes that begins with the anchor's directory.

    Makes directories that are missing. Raises `DestinationOutsideDirectory` if a symbolic link
    leads out, and the `DestinationError` that fits.
    """
    with destination_errors(path):
        try:
            return anchor.place(path)
        except TransferError as error:
            raise exception_of(error, Direction.DOWNLOAD) from None
