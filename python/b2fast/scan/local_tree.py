"""Walking a local directory in the order in which B2 lists files."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._core.scanning import find_files
from ..exception import LocalFileError, NotADirectory
from ..transfer.inbound.left_downloads import is_of_download
from ..utils.file_names import validate_b2_file_name
from ..utils.filesystem import is_plain, validate_b2_file_name_as_path
from ..utils.mtime import mtime_millis
from .path import LocalPath
from .policies import leaves_nothing_out

if TYPE_CHECKING:
    from .policies import ScanPoliciesManager
    from .report import ProgressReport

_FILES_AT_A_TIME = 200
"""Enough that a call costs each of them little, and few enough that none is out of date."""
_EFFECTIVE_IDS = os.access in os.supports_effective_ids


@dataclass(frozen=True)
class _Directory:
    """A directory that is being walked.

    :ivar path: its path, with a separator at the end
    :ivar prefix: what the relative paths of its entries begin with
    :ivar identity: device and inode
    :ivar names: what is left of it, the last first; those of directories end with ``/``
    """

    path: str
    prefix: str
    identity: tuple[int, int]
    names: list[str]


class LocalTree:
    """Finds the files below a directory, and follows symbolic links.

    B2 sorts by the bytes of whole names in UTF-8, which is Python's order of strings. A directory
    has its place as ``name/``: ``a.txt`` comes before what is in ``a``, and ``a0`` after it. So
    one directory at a time is sorted, and only those on the way to it are held in memory.

    :param reporter: is told what is skipped; may be None
    """

    def __init__(
        self, root: str, reporter: ProgressReport | None, policies: ScanPoliciesManager
    ) -> None:
        self._root = root
        self._reporter = reporter
        self._policies = policies
        self._takes_all = leaves_nothing_out(policies)

    def files(self) -> Iterator[LocalPath]:
        """The files, one after the other.

        :raises NotADirectory: if the root is none.
        :raises LocalFileError: if the root cannot be listed. What cannot be listed below it
            is skipped.
        """
        try:
            way = [self._open(self._root, '', _identity(self._root))]
        except OSError as error:
            raise listing_error(self._root, error) from error
        while way:
            directory = way[-1]
            if not directory.names:
                way.pop()
                continue
            name = directory.names.pop()
            if name.endswith('/'):
                path = directory.path + name[:-1]
                entered = self._enter(path, directory.prefix + name, way)
                if entered is not None:
                    way.append(entered)
            else:
                yield from self._files(directory, name)

    def _open(self, path: str, prefix: str, identity: tuple[int, int]) -> _Directory:
        names = []
        with os.scandir(path) as entries:
            for entry in entries:
                if is_of_download(entry.name) and not _is_directory(entry):
                    continue
                if self._policies.exclude_all_symlinks and entry.is_symlink():
                    if self._reporter is not None:
                        self._reporter.symlink_skipped(entry.path)
                    continue
                names.append(f'{entry.name}/' if _is_directory(entry) else entry.name)
        names.sort(reverse=True)
        return _Directory(os.path.join(path, ''), prefix, identity, names)

    def _enter(self, path: str, prefix: str, way: list[_Directory]) -> _Directory | None:
        relative_path = prefix[:-1]
        if self._policies.should_exclude_local_directory(relative_path):
            return None
        if not self._has_usable_name(path, relative_path):
            return None
        try:
            identity = _identity(path)
            if all(identity != above.identity for above in way):
                return self._open(path, prefix, identity)
        except OSError as error:
            self._report_error(path, error)
            return None
        if self._reporter is not None:
            self._reporter.circular_symlink_skipped(path)
        return None

    def _files(self, directory: _Directory, name: str) -> Iterator[LocalPath]:
        """A file and those that come next in the directory, up to a directory in it."""
        names = [name]
        rest = directory.names
        while rest and len(names) < _FILES_AT_A_TIME and not rest[-1].endswith('/'):
            names.append(rest.pop())
        files = find_files(directory.path, directory.prefix, names, LocalPath)
        for name, found in zip(names, files, strict=True):
            file = found
            if file is None:
                file = self._file(directory.path + name, directory.prefix + name)
            elif not self._takes_all and self._policies.should_exclude_local_path(file):
                continue
            if file is not None:
                yield file

    def _file(self, path: str, relative_path: str) -> LocalPath | None:
        try:
            status = os.stat(path)
        except OSError as error:
            if not self._policies.should_exclude_relative_path(relative_path):
                self._report_error(path, error)
            return None
        found = LocalPath(path, relative_path, mtime_millis(status), status.st_size)
        if self._policies.should_exclude_local_path(found):
            return None
        if not self._has_usable_name(path, relative_path):
            return None
        if not stat.S_ISREG(status.st_mode):
            self._report_name(path, 'it is not a regular file')
            return None
        if not os.access(path, os.R_OK, effective_ids=_EFFECTIVE_IDS):
            if self._reporter is not None:
                self._reporter.local_permission_error(path)
            return None
        return found

    def _has_usable_name(self, path: str, relative_path: str) -> bool:
        """Can the file be stored at B2, and come back from there?"""
        if os.name != 'nt' and is_plain(relative_path):
            return True
        try:
            validate_b2_file_name(relative_path)
            validate_b2_file_name_as_path(relative_path)
        except ValueError as error:
            self._report_name(path, str(error))
            return False
        return True

    def _report_name(self, path: str, problem: str) -> None:
        if self._reporter is not None:
            self._reporter.invalid_name(path, problem)

    def _report_error(self, path: str, error: OSError) -> None:
        if self._reporter is None:
            return
        report: Callable[[str], None] = (
            self._reporter.local_permission_error
            if isinstance(error, PermissionError)
            else self._reporter.local_access_error
        )
        report(path)


def _identity(path: str) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def listing_error(path: str, error: OSError) -> NotADirectory | LocalFileError:
    """What to raise when a directory cannot be listed."""
    if isinstance(error, NotADirectoryError):
        return NotADirectory(path)
    return LocalFileError(path, error.errno, str(error.strerror))


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A symbolic link to itself, for example: whoever looks at the file will see.
        return False
