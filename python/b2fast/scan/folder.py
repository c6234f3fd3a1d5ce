"""Folders to scan: a local directory, or a part of a bucket."""

from __future__ import annotations

import copy
import glob
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ..exception import (
    EmptyDirectory,
    NotADirectory,
    UnableToCreateDirectory,
    UnsupportedFilename,
)
from ..transfer.inbound.left_downloads import is_of_download
from ..utils.file_names import validate_b2_file_name
from ..utils.filesystem import (
    fix_windows_path_limit,
    path_below,
    validate_b2_file_name_as_path,
)
from .local_tree import LocalTree, listing_error
from .path import AbstractPath, B2Path, LocalPath
from .policies import DEFAULT_SCAN_MANAGER, ScanPoliciesManager, leaves_nothing_out

if TYPE_CHECKING:
    from ..api import B2Api
    from ..file_version import FileVersion
    from .report import ProgressReport


class AbstractFolder(ABC):
    """A folder whose files can be listed."""

    @abstractmethod
    def all_files(
        self,
        reporter: ProgressReport | None,
        policies_manager: ScanPoliciesManager = DEFAULT_SCAN_MANAGER,
    ) -> Iterator[AbstractPath]:
        """The files, one after the other, in the order of the bytes of their names in UTF-8.

        :param reporter: is told what cannot take part in the scan, which goes on without it
        :param policies_manager: decides what takes part
        """

    @abstractmethod
    def folder_type(self) -> str:
        """``'local'`` or ``'b2'``."""

    @abstractmethod
    def make_full_path(self, file_name: str) -> str:
        """Where the file of a relative path is."""


class LocalFolder(AbstractFolder):
    """A directory of this machine.

    :param root: its path; ``root`` of the object is absolute
    :raises ValueError: if it is neither a `str` nor a `pathlib.Path`.
    """

    def __init__(self, root: str | Path) -> None:
        if not isinstance(root, str | Path):
            raise ValueError(f'folder path should be str or pathlib.Path: {root!r}')
        self.root = fix_windows_path_limit(os.path.abspath(root))

    def __repr__(self) -> str:
        return f'LocalFolder({self.root})'

    def folder_type(self) -> str:
        """``'local'``."""
        return 'local'

    def all_files(
        self,
        reporter: ProgressReport | None,
        policies_manager: ScanPoliciesManager = DEFAULT_SCAN_MANAGER,
    ) -> Iterator[LocalPath]:
        """The files below the directory, in the order of the bytes of their names in UTF-8.

        Symbolic links are followed, but for one to a directory that it is in. Left out are what
        downloads keep beside their targets, and, with a word to the reporter, what cannot be
        read, is no regular file, or has a name that cannot be stored at B2 or would not come
        back from there (see `validate_b2_file_name_as_path`).

        One directory at a time is read, when its turn comes.

        :raises NotADirectory: if the root is none.
        :raises LocalFileError: if the root cannot be listed.
        """
        return LocalTree(self.root, reporter, policies_manager).files()

    def make_full_path(self, file_name: str) -> str:
        """The absolute path of a file below the directory; that of the directory for ``''``.

        :raises UnsupportedFilename: if the name could lead out of the directory, or has no place
            on this system; see `validate_b2_file_name_as_path`.
        """
        if not file_name:
            return self.root
        try:
            return path_below(self.root, file_name.removesuffix('/'))
        except ValueError as error:
            raise UnsupportedFilename(f'illegal file name ({error})', file_name) from error

    def ensure_present(self) -> None:
        """Make the directory if it is not there.

        :raises NotADirectory: if something else is.
        :raises UnableToCreateDirectory: if it cannot be made, for example because the directory
            that it should be in does not exist.
        """
        if os.path.isdir(self.root):
            return
        if os.path.exists(self.root):
            raise NotADirectory(self.root)
        try:
            os.mkdir(self.root)
        except OSError as error:
            raise UnableToCreateDirectory(self.root) from error

    def ensure_non_empty(self) -> None:
        """Make sure that the directory is there and has entries.

        :raises EmptyDirectory: if it has none.
        :raises LocalFileError: if it cannot be listed.

        It raises what `ensure_present` raises, too.
        """
        self.ensure_present()
        try:
            with os.scandir(self.root) as entries:
                is_empty = next(entries, None) is None
        except OSError as error:
            raise listing_error(self.root, error) from error
        if is_empty:
            raise EmptyDirectory(self.root)


class B2Folder(AbstractFolder):
    """A bucket, or what is below a folder of it.

    :param bucket_name: the name of the bucket
    :param folder_name: the name of the folder, or ``''`` for the whole bucket
    :param api: is authorized
    :raises NonExistentBucket: if there is no such bucket.
    """

    _name_prefix: str | None = None
    """What the names begin with, if the folder is made by `of_prefix`."""
    _problem_of: Callable[[str], str | None] | None = None
    """Why a file of that relative path is left out; by default because it could be no local one."""

    def __init__(self, bucket_name: str, folder_name: str, api: B2Api) -> None:
        self.bucket_name = bucket_name
        self.folder_name = folder_name
        self.bucket = api.get_bucket_by_name(bucket_name)
        self.api = api
        self.prefix = folder_name
        if folder_name and not folder_name.endswith('/'):
            self.prefix += '/'

    @classmethod
    def of_prefix(cls, bucket_name: str, name_prefix: str, api: B2Api) -> Self:
        """The files whose names begin with a prefix, which need not end where a folder does.

        Their paths are relative to the last folder in the prefix. Names that could not be those of
        local files take part as well.

        :raises NonExistentBucket: if there is no such bucket.
        """
        folder = cls(bucket_name=bucket_name, folder_name=name_prefix, api=api)
        folder.prefix = name_prefix[: name_prefix.rfind('/') + 1]
        folder._name_prefix = name_prefix
        folder._problem_of = lambda relative_path: None
        return folder

    def for_copies(self) -> Self:
        """The same folder for syncs within B2: what a file may be called there takes part.

        Of other names, which B2 has got by other ways, no copy could be made.
        """
        folder = copy.copy(self)
        folder._problem_of = _problem_in_bucket
        return folder

    def __str__(self) -> str:
        return f'B2Folder({self.bucket_name}, {self.folder_name})'

    def folder_type(self) -> str:
        """``'b2'``."""
        return 'b2'

    def all_files(
        self,
        reporter: ProgressReport | None,
        policies_manager: ScanPoliciesManager = DEFAULT_SCAN_MANAGER,
    ) -> Iterator[B2Path]:
        """The files of the folder, in the order of the bytes of their names in UTF-8.

        Hidden files are among them (`B2Path.is_visible`), unfinished large files are not. A
        version that is left out is as if it were not there: what is below it is selected.
        Names that could not be those of local files are left out, with a word to the reporter
        (see `validate_b2_file_name_as_path`). What other programs store to show an empty folder,
        a name that ends with ``/`` without any content, is left out without a word.

        The bucket is listed in pages, as far as the caller reads.
        """
        excluded = _ExcludedFolders(policies_manager)
        takes_all = leaves_nothing_out(policies_manager)
        problem_of = self._problem_of or _problem_as_local
        for name, versions in groupby(self.get_file_versions(), attrgetter('file_name')):
            relative_path = name[len(self.prefix) :]
            if not takes_all and excluded.has(relative_path):
                continue
            selected = [
                version
                for version in versions
                if version.action in ('upload', 'hide')
                and (
                    takes_all
                    or not policies_manager.should_exclude_b2_file_version(version, relative_path)
                )
            ]
            if not selected:
                continue
            problem = problem_of(relative_path)
            if problem is None:
                yield B2Path(relative_path, selected[0], selected)
            elif reporter is not None and not _is_marker(name, selected[0]):
                reporter.invalid_name(name, problem)

    def get_file_versions(self) -> Iterator[FileVersion]:
        """All versions in the folder by name, newest first, unfinished large files included.

        They are listed 10,000 at a time, the most that one call of `b2_list_file_versions` gives.
        """
        listed, is_pattern = self.prefix, False
        if self._name_prefix not in (None, self.prefix):
            listed, is_pattern = glob.escape(self._name_prefix) + '*', True
        for version, _ in self.bucket.ls(
            listed, latest_only=False, recursive=True, with_wildcard=is_pattern
        ):
            yield version

    def make_full_path(self, file_name: str) -> str:
        """The name of a file in the bucket."""
        return self.prefix + file_name


class _ExcludedFolders:
    """Tells whether a file is in a folder that is left out; asks once for each folder."""

    def __init__(self, policies: ScanPoliciesManager) -> None:
        self._policies = policies
        self._taken = ''
        self._excluded: str | None = None

    def has(self, relative_path: str) -> bool:
        """Is one of the folders above the file left out? The files come in order of their names."""
        if self._excluded is not None and relative_path.startswith(self._excluded):
            return True
        folder = relative_path[: relative_path.rfind('/') + 1]
        if folder == self._taken:
            return False
        end = relative_path.find('/')
        while end >= 0:
            above = relative_path[: end + 1]
            if not self._taken.startswith(above) and self._policies.should_exclude_b2_directory(
                above[:-1]
            ):
                self._excluded = above
                return True
            end = relative_path.find('/', end + 1)
        self._taken = folder
        return False


def _is_marker(name: str, newest: FileVersion) -> bool:
    """Does the file stand for a folder, and have no content that could be lost?"""
    return name.endswith('/') and not newest.size


def _problem_in_bucket(relative_path: str) -> str | None:
    """Why the file could not have this name in another folder; None if it could."""
    try:
        validate_b2_file_name(relative_path)
    except ValueError as error:
        return str(error)
    return None


def _problem_as_local(relative_path: str) -> str | None:
    """Why the file could not be a local one; None if it could."""
    if not relative_path or relative_path.endswith('/'):
        return 'it is the name of a folder'
    if is_of_download(relative_path.rpartition('/')[2]):
        return 'it is the name of what downloads keep beside their targets'
    try:
        validate_b2_file_name_as_path(relative_path)
    except ValueError as error:
        return str(error)
    return None
