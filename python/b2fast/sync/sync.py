"""Syncs one folder to another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from enum import Enum, unique
from typing import TYPE_CHECKING, TextIO, cast

from ..exception import IncompleteSync, InvalidArgument
from ..scan.folder import B2Folder, LocalFolder
from ..scan.policies import DEFAULT_SCAN_MANAGER, ScanPoliciesManager
from ..scan.scan import zip_folders
from ..transfer.outbound.upload_source import UploadMode
from .action_lanes import MakeLane, lane_of_downloads, lane_of_threads, lane_of_uploads
from .counting import counted
from .encryption_provider import (
    SERVER_DEFAULT_SYNC_ENCRYPTION_SETTINGS_PROVIDER,
    AbstractSyncEncryptionSettingsProvider,
)
from .events import SyncEvents
from .excluded import FolderWithoutExcluded
from .execution import Execution
from .policy import CompareVersionMode, NewerFileSyncMode
from .policy_manager import POLICY_MANAGER, SyncPolicyManager
from .scan_watch import ScanWatch

if TYPE_CHECKING:
    from ..bucket import Bucket
    from ..scan.folder import AbstractFolder
    from ..scan.path import AbstractPath, LocalPath
    from ..scan.report import ProgressReport
    from .action import AbstractAction
    from .delta_upload import DeltaUploads
    from .digest_cache import DigestCache
    from .report import SyncReport
    from .result import SyncResult
    from .sha1_comparison import Pair

_EXAMPLES = 3
"""How many failures are in the text of an `IncompleteSync`."""


@unique
class KeepOrDeleteMode(Enum):
    """What becomes of files that the source does not have, and of versions that are replaced."""

    DELETE = 301
    """They are deleted as soon as the file is transferred."""
    KEEP_BEFORE_DELETE = 302
    """They are hidden, and deleted after some days. The newest version stays."""
    NO_DELETE = 303
    """They stay, unless days to keep them are given."""


class Synchronizer:
    """Makes a folder have what another one has.

    One of the folders, or both, are in B2. Of a bucket, the newest version of each file is taken.

    :param max_workers: how many actions run at a time
    :param policies_manager: leaves files of the source out
    :param dry_run: only report what would be done
    :param allow_empty_source: take an empty local directory for what it is, not for a mistake
    :param newer_file_mode: what is done about a file that is newer at the destination
    :param keep_days_or_delete: what becomes of files that the source does not have
    :param compare_version_mode: what tells two files of one name apart
    :param compare_threshold: milliseconds or bytes; files that differ by no more are the same
    :param keep_days: how many days versions are kept after they were replaced; needed by
        `KeepOrDeleteMode.KEEP_BEFORE_DELETE`, with which 0 keeps all. If it is given, it
        counts with `KeepOrDeleteMode.NO_DELETE` as well
    :param sync_policy_manager: chooses the policy that decides about each file
    :param upload_mode: what is sent of a file that has grown
    :param absolute_minimum_part_size: bytes; see `UploadSourceLocalFile.get_incremental_sources`
    :param compare_sha1: files of the same size are the same exactly if their SHA-1 is, whenever
        they were modified; what is newer at the destination matters for those that differ. Of a
        version without a SHA-1 that B2 has checked, or its uploader gave for a large file
        (``large_file_sha1``), nothing is known, and ``compare_version_mode`` decides. The cost:
        each local file is read once, and again after each change
    :param delta_uploads: of a large file that was changed since a sync with this parameter has
        uploaded it, send what was changed; the rest is copied within B2 from the stored version.
        It goes before ``upload_mode``. The cost: each file of two parts or more that is uploaded
        is read twice, and hashed, before it is sent
    :param digest_cache: remembers the SHA-1 of local files, and the digests of what was uploaded;
        a path, or None, for `DigestCache` of it
    :param events: gets what happens as lines of JSON, beside the report; see `SyncEvents`
    :param keep_excluded: leave alone what the policies exclude on either side. Otherwise, as in
        b2sdk, they are for the source only: what it excludes, it does not have, so that it is
        hidden, deleted and replaced at the destination

    :raises InvalidArgument: for a negative threshold, a mode that is none, days that are missing,
        and ``compare_sha1`` with `CompareVersionMode.NONE`.
    """

    def __init__(
        self,
        max_workers: int,
        policies_manager: ScanPoliciesManager = DEFAULT_SCAN_MANAGER,
        dry_run: bool = False,
        allow_empty_source: bool = False,
        newer_file_mode: NewerFileSyncMode = NewerFileSyncMode.RAISE_ERROR,
        keep_days_or_delete: KeepOrDeleteMode = KeepOrDeleteMode.NO_DELETE,
        compare_version_mode: CompareVersionMode = CompareVersionMode.MODTIME,
        compare_threshold: int | None = None,
        keep_days: int | None = None,
        sync_policy_manager: SyncPolicyManager = POLICY_MANAGER,
        upload_mode: UploadMode = UploadMode.FULL,
        absolute_minimum_part_size: int | None = None,
        *,
        compare_sha1: bool = False,
        delta_uploads: bool = False,
        digest_cache: DigestCache | str | os.PathLike[str] | None = None,
        events: TextIO | None = None,
        keep_excluded: bool = False,
    ) -> None:
        self.max_workers = max_workers
        self.policies_manager = policies_manager
        self.dry_run = dry_run
        self.allow_empty_source = allow_empty_source
        self.newer_file_mode = newer_file_mode
        self.keep_days_or_delete = keep_days_or_delete
        self.compare_version_mode = compare_version_mode
        self.compare_threshold = compare_threshold or 0
        self.keep_days = keep_days
        self.sync_policy_manager = sync_policy_manager
        self.upload_mode = upload_mode
        self.absolute_minimum_part_size = absolute_minimum_part_size
        self.compare_sha1 = compare_sha1
        self.delta_uploads = delta_uploads
        self.events = events
        self.keep_excluded = keep_excluded
        self._validate()
        self._digest_cache = digest_cache
        self._deltas: DeltaUploads | None = None

    def _validate(self) -> None:
        if self.compare_threshold < 0:
            raise InvalidArgument('compare_threshold', 'must be a positive integer')
        _check_mode('newer_file_mode', self.newer_file_mode, NewerFileSyncMode)
        _check_mode('keep_days_or_delete', self.keep_days_or_delete, KeepOrDeleteMode)
        keeping = KeepOrDeleteMode.KEEP_BEFORE_DELETE
        if self.keep_days_or_delete is keeping and self.keep_days is None:
            raise InvalidArgument('keep_days', f'is required when keep_days_or_delete is {keeping}')
        _check_mode('compare_version_mode', self.compare_version_mode, CompareVersionMode)
        if self.compare_sha1 and self.compare_version_mode is CompareVersionMode.NONE:
            raise InvalidArgument('compare_sha1', 'contradicts a comparison of nothing')

    @property
    def digest_cache(self) -> DigestCache:
        """What remembers the digests of local files."""
        if isinstance(self._digest_cache, str | os.PathLike | None):
            from .digest_cache import DigestCache

            self._digest_cache = DigestCache(self._digest_cache)
        return self._digest_cache

    def sync_folders(
        self,
        source_folder: AbstractFolder,
        dest_folder: AbstractFolder,
        now_millis: int,
        reporter: SyncReport | None,
        encryption_settings_provider: AbstractSyncEncryptionSettingsProvider = (
            SERVER_DEFAULT_SYNC_ENCRYPTION_SETTINGS_PROVIDER
        ),
    ) -> SyncResult:
        """Make the destination have what the source has; b2sdk's returns nothing.

        Actions run while the folders are scanned. What fails, or cannot take part, is told to the
        reporter and kept for the end; the rest goes on. Files and versions are hidden and deleted
        when both folders are scanned, and only if nothing had to be left out.

        :param now_millis: the time of the sync, in milliseconds since 1970
        :param reporter: is told the progress, and closed at the end; may be None
        :raises IncompleteSync: at the end, with the failures, if there are any.
        :raises ValueError: if both folders are local.
        :raises InvalidArgument: if there is not at least one worker, or if local files are to be
            kept for some days.
        :raises EmptyDirectory: if the source is local and empty, and this is not allowed.
        :raises DestFileNewer: if a file is newer at the destination and the mode is to raise this;
            what has been begun is finished before.
        """
        source_type, dest_type = source_folder.folder_type(), dest_folder.folder_type()
        if source_type != 'b2' and dest_type != 'b2':
            raise ValueError('Sync between two local folders is not supported!')
        if self.max_workers < 1:
            raise InvalidArgument('max_workers', 'must be at least 1')
        if dest_type == 'local':
            dest_folder = self._local_destination(cast('LocalFolder', dest_folder))
        if source_type == 'local' and not self.allow_empty_source:
            cast('LocalFolder', source_folder).ensure_non_empty()
        # What is copied within B2 is a call to the bucket that gets it.
        remote_folder = cast('B2Folder', dest_folder if dest_type == 'b2' else source_folder)
        watch = ScanWatch(reporter)
        actions = self._make_folder_sync_actions(
            source_folder,
            dest_folder,
            now_millis,
            cast('SyncReport', watch),
            self.policies_manager,
            encryption_settings_provider,
        )
        execution = Execution(
            remote_folder.bucket,
            reporter,
            self.dry_run,
            self.max_workers,
            watch,
            None if self.events is None else SyncEvents(self.events),
        )
        with ExitStack() as stack:
            if self.delta_uploads:
                stack.callback(self.digest_cache.close)
            if reporter is not None:
                stack.callback(reporter.close)
                if source_type == 'local' and not reporter.no_progress:
                    stack.enter_context(counted(source_folder, self.policies_manager, reporter))
            execution.run(actions, self._lane_of(source_type, dest_type))
        if execution.result.failures:
            raise _incomplete(execution.result)
        return execution.result

    def _local_destination(self, folder: LocalFolder) -> LocalFolder:
        if not self.dry_run:
            folder.ensure_present()
        elif isinstance(folder, LocalFolder) and not os.path.lexists(folder.root):
            return _MissingFolder(folder.root)
        return folder

    def _lane_of(self, source_type: str, dest_type: str) -> MakeLane:
        if source_type == dest_type:
            return lane_of_threads
        return lane_of_uploads if dest_type == 'b2' else lane_of_downloads

    def _make_folder_sync_actions(
        self,
        source_folder: AbstractFolder,
        dest_folder: AbstractFolder,
        now_millis: int,
        reporter: SyncReport | None,
        policies_manager: ScanPoliciesManager = DEFAULT_SCAN_MANAGER,
        encryption_settings_provider: AbstractSyncEncryptionSettingsProvider = (
            SERVER_DEFAULT_SYNC_ENCRYPTION_SETTINGS_PROVIDER
        ),
    ) -> Iterator[AbstractAction]:
        """What has to be done, in the order of the names; the folders are read as far as needed.

        :param now_millis: the time of the sync, in milliseconds since 1970
        :param reporter: is told what is compared, and at the end how much there is to do
        :param policies_manager: leaves files of the source out
        :raises InvalidArgument: if local files are to be kept for some days.
        :raises ValueError: if both folders are local.
        :raises DestFileNewer: if a file is newer at the destination and the mode is to raise this.
        """
        source_type, dest_type = source_folder.folder_type(), dest_folder.folder_type()
        if self.keep_days_or_delete is KeepOrDeleteMode.KEEP_BEFORE_DELETE and dest_type == 'local':
            raise InvalidArgument('keep_days_or_delete', 'cannot be used for local files')
        if source_type != 'b2' and dest_type != 'b2':
            raise ValueError('Sync between two local folders is not supported!')
        sync_type = f'{source_type}-to-{dest_type}'
        # To count the files of a bucket ahead would take as many calls as the sync itself.
        counts_total = source_type == 'b2'
        total_files = total_bytes = 0
        # Looked up once: the file that is compared and stays is the common case.
        update_total = None if reporter is None or not counts_total else reporter.update_total
        update_compare = None if reporter is None else reporter.update_compare
        if source_type == dest_type:
            source_folder = _for_copies(source_folder)
            dest_folder = _for_copies(dest_folder)
        pairs = self._pairs(source_folder, dest_folder, reporter, policies_manager)
        for source_path, dest_path, same_content in self._compared(pairs):
            if source_path is not None:
                if update_total is not None:
                    update_total(1)
                if update_compare is not None:
                    update_compare(1)
            for action in self._make_file_sync_actions(
                sync_type,
                source_path,
                dest_path,
                source_folder,
                dest_folder,
                now_millis,
                encryption_settings_provider,
                **({} if same_content is None else {'same_content': same_content}),
            ):
                total_files += 1
                total_bytes += action.get_bytes()
                yield action
        if reporter is not None:
            if counts_total:
                reporter.end_total()
            reporter.end_compare(total_files, total_bytes)

    def _pairs(
        self,
        source_folder: AbstractFolder,
        dest_folder: AbstractFolder,
        reporter: SyncReport | None,
        policies_manager: ScanPoliciesManager,
    ) -> Iterator[Pair]:
        if not self.keep_excluded:
            yield from zip_folders(source_folder, dest_folder, reporter, policies_manager)
            return
        source = FolderWithoutExcluded(source_folder, policies_manager)
        dest = FolderWithoutExcluded(dest_folder, policies_manager)
        for source_path, dest_path in zip_folders(source, dest, reporter):
            path = cast('AbstractPath', source_path or dest_path).relative_path
            # Of a file of the source, the versions that are left are synced. At the destination,
            # a version that is excluded would be hidden or replaced with those that are left.
            if not (dest.excludes(path) or (source.excludes(path) and source_path is None)):
                yield source_path, dest_path

    def _compared(
        self, pairs: Iterator[Pair]
    ) -> Iterator[tuple[AbstractPath | None, AbstractPath | None, bool | None]]:
        """The pairs, and whether they have the same content, if that is looked at and known."""
        if not self.compare_sha1:
            return ((source_path, dest_path, None) for source_path, dest_path in pairs)
        from .sha1_comparison import Sha1Comparison

        return Sha1Comparison(self.digest_cache).compared(pairs)

    def _make_file_sync_actions(
        self,
        sync_type: str,
        source_path: AbstractPath | None,
        dest_path: AbstractPath | None,
        source_folder: AbstractFolder,
        dest_folder: AbstractFolder,
        now_millis: int,
        encryption_settings_provider: AbstractSyncEncryptionSettingsProvider = (
            SERVER_DEFAULT_SYNC_ENCRYPTION_SETTINGS_PROVIDER
        ),
        same_content: bool | None = None,
    ) -> Iterator[AbstractAction]:
        """What has to be done for one file; see `SyncPolicyManager.get_policy`.

        :param same_content: see `AbstractFileSyncPolicy`
        """
        policy = self.sync_policy_manager.get_policy(
            sync_type,
            source_path,
            source_folder,
            dest_path,
            dest_folder,
            now_millis,
            self.keep_days_or_delete is KeepOrDeleteMode.DELETE,
            self.keep_days,
            self.newer_file_mode,
            self.compare_threshold,
            self.compare_version_mode,
            encryption_settings_provider=encryption_settings_provider,
            upload_mode=self.upload_mode,
            absolute_minimum_part_size=self.absolute_minimum_part_size,
        )
        if same_content is not None:
            policy.same_content = same_content
        if self.delta_uploads and sync_type == 'local-to-b2':
            policy.delta_uploads = self._deltas_of(cast('B2Folder', dest_folder).bucket)
        return policy.get_all_actions()

    def _deltas_of(self, bucket: Bucket) -> DeltaUploads:
        """What all files of a sync to a bucket share."""
        deltas = self._deltas
        if deltas is None or deltas.bucket is not bucket:
            from .delta_upload import DeltaUploads

            deltas = self._deltas = DeltaUploads(self.digest_cache, bucket)
        return deltas


def _for_copies(folder: AbstractFolder) -> AbstractFolder:
    return folder.for_copies() if isinstance(folder, B2Folder) else folder


def _incomplete(result: SyncResult) -> IncompleteSync:
    examples = '; '.join(str(failure) for failure in result.failures[:_EXAMPLES])
    more = len(result.failures) - _EXAMPLES
    error = IncompleteSync(
        f'sync is incomplete: {examples}' + (f'; and {more} more' if more > 0 else '')
    )
    error.result = result
    return error


class _MissingFolder(LocalFolder):
    """A directory that a dry run does not make."""

    def all_files(
        self,
        reporter: ProgressReport | None,
        policies_manager: ScanPoliciesManager = DEFAULT_SCAN_MANAGER,
    ) -> Iterator[LocalPath]:
        return iter(())


def _check_mode(parameter: str, value: object, modes: type[Enum]) -> None:
    if value not in tuple(modes):
        raise InvalidArgument(parameter, f'must be one of :{modes.__members__}')
