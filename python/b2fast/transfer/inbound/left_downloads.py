"""Removes what interrupted downloads have left on the disk."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..._core.transfer import TEMPORARY_SUFFIXES
from ...exception import InvalidArgument, LocalFileError

if TYPE_CHECKING:
    from datetime import timedelta

_PART, *_JOURNALS = TEMPORARY_SUFFIXES


@dataclass(frozen=True, slots=True)
class LeftDownload:
    """What `cleanup_downloads` did about one file, or a directory that cannot be listed."""

    path: str
    size: int
    """Its bytes on the disk."""
    error: LocalFileError | None = None
    """Why it could not be removed or listed; None if it was removed, or would have been."""


def is_of_download(name: str) -> bool:
    """Is it the name of a file that a download has beside its target?"""
    return name.startswith('.') and name.endswith(TEMPORARY_SUFFIXES)


def cleanup_downloads(
    directory: str | os.PathLike[str], older_than: timedelta, *, dry_run: bool = False
) -> list[LeftDownload]:
    """Remove what downloads below a directory have left that nobody has gone on with for a while.

    The next download of the same file to the same path takes such files up, or removes them.
    Those of a download that was never made again stay, hidden, until they are removed.
    Symbolic links are not followed.

    :param older_than: remove what was written longer ago, by the clock of this machine; files
                of downloads that are still running are spared
    :param dry_run: remove nothing, and tell what would be removed

    Returns a result for each file that is old enough; one that cannot be removed does not keep it
    from the next. Raises `InvalidArgument` for a negative time, and `LocalFileError` if the
    directory itself cannot be listed.
    """
    if older_than.total_seconds() < 0:
        raise InvalidArgument('older_than', 'must not be negative')
    latest = time.time() - older_than.total_seconds()
    root = os.fspath(directory)
    failures: list[LeftDownload] = []

    def fail(error: OSError) -> None:
        path = str(error.filename)
        if path == root:
            raise _error(path, error) from error
        failures.append(LeftDownload(path, 0, _error(path, error)))

    removed = [
        left
        for place, _, names in os.walk(root, onerror=fail)
        for path in _left_in(place, names)
        if (left := _remove(path, latest, dry_run)) is not None
    ]
    return removed + failures


def _left_in(place: str, names: list[str]) -> Iterator[str]:
    """Partial files, and journals that have none, whose files are removed with theirs."""
    there = set(names)
    for name in sorted(names):
        if not is_of_download(name):
            continue
        suffix = next(suffix for suffix in TEMPORARY_SUFFIXES if name.endswith(suffix))
        if suffix == _PART or name.removesuffix(suffix) + _PART not in there:
            yield os.path.join(place, name)


def _remove(path: str, latest: float, dry_run: bool) -> LeftDownload | None:
    size = 0
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_mtime > latest:
            return None
        size = status.st_blocks * 512
        if not path.endswith(_PART):
            if not dry_run:
                os.unlink(path)
        elif not _remove_partial(path, dry_run):
            return None
    except FileNotFoundError:
        # Its download has ended in the meantime.
        return None
    except OSError as error:
        return LeftDownload(path, size, _error(path, error))
    return LeftDownload(path, size)


def _remove_partial(path: str, dry_run: bool) -> bool:
    """Remove a partial file and its journal; false if a download has it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        # Before it was locked, its download may have given it the target's name.
        if not os.path.samestat(os.fstat(descriptor), os.lstat(path)):
            return False
        if not dry_run:
            os.unlink(path)
            for suffix in _JOURNALS:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path.removesuffix(_PART) + suffix)
        return True
    finally:
        os.close(descriptor)


def _error(path: str, error: OSError) -> LocalFileError:
    return LocalFileError(path, error.errno, str(error.strerror))
