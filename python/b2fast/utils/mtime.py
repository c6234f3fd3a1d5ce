"""Modification times of local files, in the milliseconds that B2 stores."""

from __future__ import annotations

import os

from .special_files import is_special_file

_NS_PER_MS = 1_000_000


def mtime_ns_of(mod_time_millis: int) -> int | None:
    """Milliseconds since 1970 as nanoseconds; None for a time that no file system has."""
    nanoseconds = mod_time_millis * _NS_PER_MS
    return nanoseconds if -(2**63) <= nanoseconds < 2**63 else None


def mtime_millis(status: os.stat_result) -> int:
    """The modification time of a file, in whole milliseconds since 1970.

    b2sdk takes it from a number of seconds with fractions.  From 999,880 ns after a millisecond on
    that number is the next one; if the file were a millisecond older to us than to b2sdk, which
    uploaded it, a sync would take the stored file for newer.  Before 2014 and after 2037 that
    number may be below a whole millisecond, and the file appear older than it was made to be.
    """
    return max(status.st_mtime_ns // _NS_PER_MS, int(status.st_mtime * 1000))


def get_file_mtime(local_path: str | os.PathLike[str]) -> int:
    """The modification time of a file, in whole milliseconds since 1970.

    :raises OSError: if there is no such file.
    """
    return mtime_millis(os.stat(local_path))


def set_file_mtime(local_path: str | os.PathLike[str], mod_time_millis: int) -> None:
    """Set the modification time of a file, and the time of its last reading with it.

    :param mod_time_millis: milliseconds since 1970
    :raises OSError: if that fails; not for a device, which needs no time.
    :raises OverflowError: if no file system has such a time.
    """
    nanoseconds = mod_time_millis * _NS_PER_MS
    try:
        os.utime(local_path, ns=(nanoseconds, nanoseconds))
    except OSError:
        if not is_special_file(local_path):
            raise
