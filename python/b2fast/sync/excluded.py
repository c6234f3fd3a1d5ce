"""Remembers what the scans of a sync exclude, so that it is left as it is on both sides."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from ..scan.folder import AbstractFolder, LocalFolder
from ..scan.policies import DEFAULT_SCAN_MANAGER
from .report_proxy import ReportProxy

if TYPE_CHECKING:
    from ..file_version import FileVersion
    from ..scan.path import AbstractPath, LocalPath
    from ..scan.policies import ScanPoliciesManager
    from ..scan.report import ProgressReport
    from .report import SyncReport

_AFTER_SLASH = chr(ord('/') + 1)


class FolderWithoutExcluded(AbstractFolder):
    """A folder that is scanned with policies of its own, and knows what they exclude.

    That a scan does not find a file does not tell whether it is excluded or not there.  Of what
    was excluded only that is kept which was not asked for yet: memory does not grow with the
    folder.

    :param policies: are used in place of those that a scan is given
    """

    def __init__(self, folder: AbstractFolder, policies: ScanPoliciesManager) -> None:
        self._folder = folder
        self._policies = policies
        self._excluded: set[str] = set()
        self._ends: list[tuple[str, str]] = []

    def all_files(
        self,
        reporter: ProgressReport | None,
        policies_manager: ScanPoliciesManager = DEFAULT_SCAN_MANAGER,
    ) -> Iterator[AbstractPath]:
        """The files of the folder that are not excluded."""
        return self._folder.all_files(
            cast('ProgressReport', _Reporter(reporter, self)),
            cast('ScanPoliciesManager', _Policies(self._policies, self)),
        )

    def folder_type(self) -> str:
        """That of the folder."""
        return self._folder.folder_type()

    def make_full_path(self, file_name: str) -> str:
        """As the folder does."""
        return self._folder.make_full_path(file_name)

    def excludes(self, relative_path: str) -> bool:
        """Is the file excluded, a version of it, or a directory above it?

        Files have to be asked for in their order, and when the scan has passed them.
        """
        while self._ends and self._ends[0][0] < relative_path:
            self._excluded.discard(heapq.heappop(self._ends)[1])
        end = relative_path.find('/')
        while end >= 0:
            if relative_path[: end + 1] in self._excluded:
                return True
            end = relative_path.find('/', end + 1)
        return relative_path in self._excluded

    def exclude_file(self, relative_path: str) -> None:
        """The scan excludes a file."""
        self._exclude(relative_path, relative_path)

    def exclude_directory(self, relative_path: str) -> None:
        """The scan excludes all that is in a directory."""
        self._exclude(relative_path + _AFTER_SLASH, relative_path + '/')

    def exclude_link(self, path: str) -> None:
        """The scan excludes a symbolic link, to a file or to a directory."""
        root = cast('LocalFolder', self._folder).root
        relative_path = os.path.relpath(path, root).replace(os.sep, '/')
        self.exclude_file(relative_path)
        self.exclude_directory(relative_path)

    def _exclude(self, end: str, excluded: str) -> None:
        if excluded not in self._excluded:
            self._excluded.add(excluded)
            heapq.heappush(self._ends, (end, excluded))


class _Policies:
    """Tells the folder what the policies exclude."""

    def __init__(self, policies: ScanPoliciesManager, folder: FolderWithoutExcluded) -> None:
        self._policies = policies
        self._folder = folder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._policies, name)

    def should_exclude_relative_path(self, relative_path: str) -> bool:
        if not self._policies.should_exclude_relative_path(relative_path):
            return False
        self._folder.exclude_file(relative_path)
        return True

    def should_exclude_local_path(self, local_path: LocalPath) -> bool:
        if not self._policies.should_exclude_local_path(local_path):
            return False
        self._folder.exclude_file(local_path.relative_path)
        return True

    def should_exclude_b2_file_version(self, version: FileVersion, relative_path: str) -> bool:
        if not self._policies.should_exclude_b2_file_version(version, relative_path):
            return False
        self._folder.exclude_file(relative_path)
        return True

    def should_exclude_local_directory(self, dir_path: str) -> bool:
        if not self._policies.should_exclude_local_directory(dir_path):
            return False
        self._folder.exclude_directory(dir_path)
        return True

    def should_exclude_b2_directory(self, dir_path: str) -> bool:
        if not self._policies.should_exclude_b2_directory(dir_path):
            return False
        self._folder.exclude_directory(dir_path)
        return True


class _Reporter(ReportProxy):
    """Tells the folder which symbolic links are excluded, and the reporter all."""

    def __init__(self, reporter: ProgressReport | None, folder: FolderWithoutExcluded) -> None:
        super().__init__(cast('SyncReport | None', reporter))
        self._folder = folder

    def symlink_skipped(self, path: str) -> None:
        self._folder.exclude_link(path)
        self._reporter.symlink_skipped(path)
