"""Explaining what a scan does with one file, by a scan of nothing but the way to it."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .folder import AbstractFolder, B2Folder, LocalFolder
from .policies import ScanPoliciesManager
from .report import ProgressReport
from .rules import ScanExplanation, ScanRule

if TYPE_CHECKING:
    from ..file_version import FileVersion
    from .path import LocalPath


def explain_path(policies: ScanPoliciesManager, path: str) -> ScanExplanation:
    """What the path of a file decides."""
    way = _Way(policies, path)
    for directory in way.directories:
        if way.should_exclude_local_directory(directory):
            return way.explanation(False)
    return way.explanation(not way.should_exclude_relative_path(path))


def explain_file(
    policies: ScanPoliciesManager, path: str, folder: AbstractFolder
) -> ScanExplanation:
    """What a scan of the folder does with the file."""
    way = _Way(policies, path)
    reporter = _Reporter(path, folder)
    if isinstance(folder, B2Folder):
        folder = _FolderOfOneFile(folder, path)
    included = any(found.relative_path == path for found in folder.all_files(reporter, way))
    way.rule = way.rule or reporter.rule
    return way.explanation(included)


class _Way(ScanPoliciesManager):
    """Asks other policies, keeps what they decide, and leaves out what is not on the way."""

    def __init__(self, policies: ScanPoliciesManager, path: str) -> None:
        super().__init__(exclude_all_symlinks=policies.exclude_all_symlinks)
        self._policies = policies
        self._path = path
        self.directories = [path[:end] for end, character in enumerate(path) if character == '/']
        self.rule: ScanRule | None = None

    def should_exclude_local_directory(self, dir_path: str) -> bool:
        return self._is_off_the_way(dir_path) or self._decided(
            self._policies.should_exclude_local_directory(dir_path),
            'should_exclude_local_directory',
            dir_path,
            self._policies.rule_of_directory(dir_path),
        )

    def should_exclude_b2_directory(self, dir_path: str) -> bool:
        return self._is_off_the_way(dir_path) or self._decided(
            self._policies.should_exclude_b2_directory(dir_path),
            'should_exclude_b2_directory',
            dir_path,
            self._policies.rule_of_directory(dir_path),
        )

    def should_exclude_relative_path(self, relative_path: str) -> bool:
        return relative_path != self._path or self._decided(
            self._policies.should_exclude_relative_path(relative_path),
            'should_exclude_relative_path',
            relative_path,
            self._rule_of_name(),
        )

    def should_exclude_local_path(self, local_path: LocalPath) -> bool:
        path = local_path.relative_path
        return path != self._path or self._decided(
            self._policies.should_exclude_local_path(local_path),
            'should_exclude_local_path',
            path,
            self._rule_of_name() or self._policies.rule_of_times(path, local_path.mod_time),
        )

    def should_exclude_b2_file_version(self, file_version: FileVersion, relative_path: str) -> bool:
        return relative_path != self._path or self._decided(
            self._policies.should_exclude_b2_file_version(file_version, relative_path),
            'should_exclude_b2_file_version',
            relative_path,
            self._rule_of_name()
            or self._policies.rule_of_times(
                relative_path, file_version.mod_time_millis, file_version.upload_timestamp
            ),
        )

    def explanation(self, included: bool) -> ScanExplanation:
        """What is known at the end of the scan."""
        if not included:
            rule = self.rule or ScanRule('folder', 'there is no such file', self._path)
            return ScanExplanation(self._path, False, rule)
        excluding, including = self._policies.rules_of_file(self._path)
        if including is None:
            return ScanExplanation(self._path, True)
        return ScanExplanation(self._path, True, including, excluding)

    def _is_off_the_way(self, directory: str) -> bool:
        return directory not in self.directories

    def _rule_of_name(self) -> ScanRule | None:
        excluding, including = self._policies.rules_of_file(self._path)
        return excluding if including is None else None

    def _decided(self, excluded: bool, method: str, path: str, rule: ScanRule | None) -> bool:
        # Of several versions, the newest tells why.
        if excluded and self.rule is None:
            name = f'{type(self._policies).__name__}.{method}'
            self.rule = rule or ScanRule('method', name, path)
        return excluded


class _Reporter(ProgressReport):
    """Keeps why the folder leaves out the file, or a directory above it."""

    def __init__(self, path: str, folder: AbstractFolder) -> None:
        super().__init__(io.StringIO(), no_progress=True)
        self.rule: ScanRule | None = None
        parts = path.split('/')
        if isinstance(folder, LocalFolder):
            # Not by `make_full_path`, which refuses the names that the scan complains about.
            start, separator = os.path.join(folder.root, ''), os.sep
        else:
            start, separator = folder.make_full_path(''), '/'
        self._paths = {
            start + separator.join(parts[:end]): '/'.join(parts[:end])
            for end in range(1, len(parts) + 1)
        }

    def symlink_skipped(self, path: str) -> None:
        self._keep(path, 'exclude_all_symlinks', 'True')

    def _warn(self, path: str, what: str) -> None:
        self._keep(path, 'folder', f'{path!r} {what}')

    def _keep(self, path: str, kind: str, text: str) -> None:
        if path in self._paths and self.rule is None:
            self.rule = ScanRule(kind, text, self._paths[path])


class _FolderOfOneFile(B2Folder):
    """A folder of a bucket of which one file is listed."""

    def __init__(self, folder: B2Folder, path: str) -> None:
        vars(self).update(vars(folder))
        self._path = path

    def get_file_versions(self) -> Iterator[FileVersion]:
        yield from self.bucket.list_file_versions(self.make_full_path(self._path))
