"""A file that nobody but its owner may read."""

from __future__ import annotations

import errno
import os
import stat

from ..exception import LocalFileError
from ..log import logger_of

logger = logger_of(__name__)


def make_private(path: str) -> None:
    """Make an empty file for its owner alone, or take from an existing one the rights of others.

    The file has the mode 0600 before there is anything in it.  A file of another user is
    refused, since its owner could read and replace what is written into it: only root may use
    it, and everybody may use one of root's.  If the mode cannot be changed, as on some mounts,
    a warning is logged.

    :param path: the file, symbolic links resolved.
    :raises LocalFileError: if it cannot be made, is no ordinary file or is another user's.
    """
    try:
        _make_private(path)
    except LocalFileError:
        raise
    except OSError as error:
        raise LocalFileError(path, error.errno, error.strerror or str(error)) from error


def _make_private(path: str) -> None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        _tighten(path)
        return
    try:
        # The umask may have taken more away.
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def _tighten(path: str) -> None:
    # By path: to close a descriptor of a SQLite file releases all locks that the process has.
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        raise LocalFileError(path, errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise LocalFileError(path, errno.EINVAL, 'Not an ordinary file')
    user = os.geteuid()
    if user != 0 and status.st_uid not in (0, user):
        raise LocalFileError(
            path,
            errno.EPERM,
            f'The file belongs to another user (ID {status.st_uid}), who could read and '
            'change it; use a file of your own',
        )
    if status.st_mode & 0o077:
        try:
            os.chmod(path, stat.S_IMODE(status.st_mode) & 0o700)
        except OSError as error:
            logger.warning('%s is open to other users: %s', path, error.strerror)
