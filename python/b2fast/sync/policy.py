"""What a sync does with one file: transfer it or not, and what becomes of what it replaces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from enum import Enum, unique
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ..exception import DestFileNewer, InvalidArgument
from ..transfer.outbound.upload_source import UploadMode
from .action import (
    AbstractAction,
    B2CopyAction,
    B2DeleteAction,
    B2DownloadAction,
    B2HideAction,
    B2IncrementalUploadAction,
    B2UploadAction,
    LocalDeleteAction,
)
from .encryption_provider import (
    SERVER_DEFAULT_SYNC_ENCRYPTION_SETTINGS_PROVIDER,
    AbstractSyncEncryptionSettingsProvider,
)

if TYPE_CHECKING:
    from ..file_version import FileVersion
    from ..scan.folder import AbstractFolder, B2Folder
    from ..scan.path import AbstractPath, B2Path
    from .delta_upload import DeltaUploads

ONE_DAY_IN_MS = 24 * 60 * 60 * 1000


@unique
class NewerFileSyncMode(Enum):
    """What is done about a file that is newer at the destination."""

    SKIP = 101
    """It stays."""
    REPLACE = 102
    """The older file of the source replaces it."""
    RAISE_ERROR = 103
    """The sync ends with `DestFileNewer`."""


@unique
class CompareVersionMode(Enum):
    """What tells two files of one name apart."""

    MODTIME = 201
    """When they were modified."""
    SIZE = 202
    """Their sizes."""
    NONE = 203
    """Nothing: a file that is there stays."""


class AbstractFileSyncPolicy(ABC):
    """Decides about one file, which at least one side has.

    :param source_path: the file of the source; None if it has none
    :param dest_path: the file of the destination; None if it has none
    :param now_millis: the time of the sync, in milliseconds since 1970
    :param keep_days: how many days versions are kept after they were replaced
    :param newer_file_mode: what is done about a file that is newer at the destination
    :param compare_threshold: milliseconds or bytes; files that differ by no more are the same
    :param compare_version_mode: what tells files apart
    :param encryption_settings_provider: knows the encryption of each file
    :param upload_mode: what is sent of a file that has grown
    :param absolute_minimum_part_size: bytes; see `UploadSourceLocalFile.get_incremental_sources`

    :ivar same_content: have both files the same content? None if that is not known, and
        `files_are_different` decides
    :ivar delta_uploads: uploads large files; None to upload them as ``upload_mode`` says

    ``DESTINATION_PREFIX`` and ``SOURCE_PREFIX`` are what messages put before the names.
    """

    DESTINATION_PREFIX: ClassVar[Any] = NotImplemented
    SOURCE_PREFIX: ClassVar[Any] = NotImplemented

    same_content: bool | None = None
    delta_uploads: DeltaUploads | None = None

    def __init__(
        self,
        source_path: AbstractPath | None,
        source_folder: AbstractFolder,
        dest_path: AbstractPath | None,
        dest_folder: AbstractFolder,
        now_millis: int,
        keep_days: int | None,
        newer_file_mode: NewerFileSyncMode,
        compare_threshold: int,
        compare_version_mode: CompareVersionMode = CompareVersionMode.MODTIME,
        encryption_settings_provider: AbstractSyncEncryptionSettingsProvider = (
            SERVER_DEFAULT_SYNC_ENCRYPTION_SETTINGS_PROVIDER
        ),
        upload_mode: UploadMode = UploadMode.FULL,
        absolute_minimum_part_size: int | None = None,
    ) -> None:
        self._source_path = source_path
        self._source_folder = source_folder
        self._dest_path = dest_path
        self._dest_folder = dest_folder
        self._now_millis = now_millis
        self._keep_days = keep_days
        self._newer_file_mode = newer_file_mode
        self._compare_threshold = compare_threshold
        self._compare_version_mode = compare_version_mode
        self._encryption_settings_provider = encryption_settings_provider
        self._upload_mode = upload_mode
        self._absolute_minimum_part_size = absolute_minimum_part_size
        self._transferred = False

    @classmethod
    def files_are_different(
        cls,
        source_path: AbstractPath,
        dest_path: AbstractPath,
        compare_threshold: int | None = None,
        compare_version_mode: CompareVersionMode = CompareVersionMode.MODTIME,
        newer_file_mode: NewerFileSyncMode = NewerFileSyncMode.RAISE_ERROR,
    ) -> bool:
        """Should the file of the source replace that of the destination?

        :param compare_threshold: milliseconds or bytes; by no more they may differ. 0 if None
        :raises DestFileNewer: if the destination's is newer and the mode is to raise this.
        :raises InvalidArgument: for a mode of comparing that is none.
        """
        if compare_version_mode is CompareVersionMode.MODTIME:
            newer_by = source_path.mod_time - dest_path.mod_time
            if abs(newer_by) <= (compare_threshold or 0):
                return False
            return newer_by > 0 or cls._may_replace_newer(source_path, dest_path, newer_file_mode)
        if compare_version_mode is CompareVersionMode.SIZE:
            return abs(source_path.size - dest_path.size) > (compare_threshold or 0)
        if compare_version_mode is CompareVersionMode.NONE:
            return False
        raise InvalidArgument('compare_version_mode', 'is invalid option')

    @classmethod
    def _may_replace_newer(
        cls, source_path: AbstractPath, dest_path: AbstractPath, newer_file_mode: NewerFileSyncMode
    ) -> bool:
        if newer_file_mode in (NewerFileSyncMode.REPLACE, NewerFileSyncMode.SKIP):
            return newer_file_mode is NewerFileSyncMode.REPLACE
        raise DestFileNewer(dest_path, source_path, cls.DESTINATION_PREFIX, cls.SOURCE_PREFIX)

    def get_all_actions(self) -> Iterator[AbstractAction]:
        """What has to be done for the file: its transfer first, then what is hidden or deleted.

        :raises DestFileNewer: if the destination's is newer and the mode is to raise this.
        """
        if self._should_transfer():
            yield self._make_transfer_action()
            self._transferred = True
        yield from self._get_hide_delete_actions()

    def _should_transfer(self) -> bool:
        source, dest = self._source_path, self._dest_path
        if source is None or not source.is_visible():
            return False
        if dest is not None and self.same_content is not None:
            return not self.same_content and self._may_replace(source, dest)
        return dest is None or self.files_are_different(
            source,
            dest,
            self._compare_threshold,
            self._compare_version_mode,
            self._newer_file_mode,
        )

    def _may_replace(self, source: AbstractPath, dest: AbstractPath) -> bool:
        """May the file of the source replace another one, which may be newer?"""
        by_time = self._compare_version_mode is CompareVersionMode.MODTIME
        if by_time and dest.mod_time - source.mod_time > self._compare_threshold:
            return self._may_replace_newer(source, dest, self._newer_file_mode)
        return True

    @abstractmethod
    def _make_transfer_action(self) -> AbstractAction:
        """The transfer of the file; it is asked for only if the source has one."""

    def _get_hide_delete_actions(self) -> Iterable[AbstractAction]:
        """What is hidden or deleted at the destination, after the transfer if there was one."""
        return ()

    def _source(self) -> AbstractPath:
        """The file of the source, where it is known to be there."""
        assert self._source_path is not None
        return self._source_path


class DownPolicy(AbstractFileSyncPolicy):
    """Downloads the file."""

    DESTINATION_PREFIX = 'local://'
    SOURCE_PREFIX = 'b2://'

    def _make_transfer_action(self) -> AbstractAction:
        source = cast('B2Path', self._source())
        return B2DownloadAction(
            source,
            self._source_folder.make_full_path(source.relative_path),
            self._dest_folder.make_full_path(source.relative_path),
            self._encryption_settings_provider,
        )


class DownAndDeletePolicy(DownPolicy):
    """Downloads the file; deletes it here if the bucket has none that is visible."""

    def _get_hide_delete_actions(self) -> Iterable[AbstractAction]:
        source, dest = self._source_path, self._dest_path
        if dest is None or (source is not None and source.is_visible()):
            return ()
        path = self._dest_folder.make_full_path(dest.relative_path)
        return (LocalDeleteAction(dest.relative_path, path),)


class DownAndKeepDaysPolicy(DownPolicy):
    """Downloads the file; there are no old versions of local files to be kept for some days."""


class UpPolicy(AbstractFileSyncPolicy):
    """Uploads the file."""

    DESTINATION_PREFIX = 'b2://'
    SOURCE_PREFIX = 'local://'

    def _make_transfer_action(self) -> AbstractAction:
        source = self._source()
        upload = (
            self._source_folder.make_full_path(source.relative_path),
            source.relative_path,
            self._dest_folder.make_full_path(source.relative_path),
            source.mod_time,
            source.size,
            self._encryption_settings_provider,
        )
        if self.delta_uploads is not None and self.delta_uploads.suits(source.size):
            return self.delta_uploads.action(*upload, self._stored_version())
        if self._upload_mode is UploadMode.INCREMENTAL and self._dest_path is not None:
            stored = self._stored_version()
            return B2IncrementalUploadAction(*upload, stored, self._absolute_minimum_part_size)
        return B2UploadAction(*upload)

    def _stored_version(self) -> FileVersion | None:
        return None if self._dest_path is None else cast('B2Path', self._dest_path).selected_version


class CopyPolicy(AbstractFileSyncPolicy):
    """Copies the file within B2."""

    DESTINATION_PREFIX = 'b2://'
    SOURCE_PREFIX = 'b2://'

    def _make_transfer_action(self) -> AbstractAction:
        source = cast('B2Path', self._source())
        return B2CopyAction(
            self._source_folder.make_full_path(source.relative_path),
            source,
            self._dest_folder.make_full_path(source.relative_path),
            cast('B2Folder', self._source_folder).bucket,
            cast('B2Folder', self._dest_folder).bucket,
            self._encryption_settings_provider,
        )


class _DeletingVersions(AbstractFileSyncPolicy):
    """The destination is a bucket, and what the source does not have is deleted."""

    def _get_hide_delete_actions(self) -> Iterable[AbstractAction]:
        return make_b2_delete_actions(
            self._source_path,
            cast('B2Path | None', self._dest_path),
            self._dest_folder,
            self._transferred,
        )


class _KeepingVersionsForDays(AbstractFileSyncPolicy):
    """The destination is a bucket, and what the source does not have is deleted some day."""

    def _get_hide_delete_actions(self) -> Iterable[AbstractAction]:
        return make_b2_keep_days_actions(
            self._source_path,
            cast('B2Path | None', self._dest_path),
            self._dest_folder,
            self._transferred,
            cast('int', self._keep_days),
            self._now_millis,
        )


class UpAndDeletePolicy(_DeletingVersions, UpPolicy):
    """Uploads the file, and deletes all other versions; all, if the source has no file."""


class UpAndKeepDaysPolicy(_KeepingVersionsForDays, UpPolicy):
    """Uploads the file, hides it if the source has none, and deletes what is old enough."""


class CopyAndDeletePolicy(_DeletingVersions, CopyPolicy):
    """Copies the file, and deletes all other versions; all, if the source has no file."""


class CopyAndKeepDaysPolicy(_KeepingVersionsForDays, CopyPolicy):
    """Copies the file, hides it if the source has none, and deletes what is old enough."""


def make_b2_delete_note(version: FileVersion, index: int, transferred: bool) -> str:
    """What is said about a version that is deleted: why it need not stay.

    :param index: 0 for the newest version, 1 for the one before, ...
    :param transferred: has the file been replaced just now?
    """
    if version.action == 'hide':
        return '(hide marker)'
    return '(old version)' if transferred or index > 0 else ''


def make_b2_delete_actions(
    source_path: AbstractPath | None,
    dest_path: B2Path | None,
    dest_folder: AbstractFolder,
    transferred: bool,
) -> Iterator[AbstractAction]:
    """Deletes the versions of a file, but for the newest one if that is what the source has.

    :param transferred: has the file been replaced just now? ``dest_path`` has the old versions
    """
    if dest_path is None:
        return
    for index, version in enumerate(dest_path.all_versions):
        if index > 0 or source_path is None or transferred:
            yield _delete(dest_path, dest_folder, version, index, transferred)


def make_b2_keep_days_actions(
    source_path: AbstractPath | None,
    dest_path: B2Path | None,
    dest_folder: AbstractFolder,
    transferred: bool,
    keep_days: int,
    now_millis: int,
) -> Iterator[AbstractAction]:
    """Hides a file that the source does not have, and deletes versions that are out of date.

    What was visible at any time of the last days stays. If versions are 5, 15 and 25 days old and
    10 days are kept, the one of 25 days is deleted: that of 15 days was visible 10 days ago.

    The age of a version counts from ``mod_time_millis``, which the uploader chose. Below one that
    is old enough all are deleted, whatever their ages.

    :param transferred: has the file been replaced just now? ``dest_path`` has the old versions
    :param now_millis: the time of the sync, in milliseconds since 1970
    """
    if dest_path is None:
        return
    deleting = False
    for index, version in enumerate(dest_path.all_versions):
        is_old = keep_days < (now_millis - version.mod_time_millis) / ONE_DAY_IN_MS
        if index == 0 and source_path is None and version.action == 'upload':
            yield B2HideAction(
                dest_path.relative_path, dest_folder.make_full_path(dest_path.relative_path)
            )
        # Nothing was visible while a hide marker was the newest version, so it goes itself.
        deleting = deleting or (is_old and version.action == 'hide')
        if deleting:
            yield _delete(dest_path, dest_folder, version, index, transferred)
        deleting = deleting or is_old


def _delete(
    dest_path: B2Path,
    dest_folder: AbstractFolder,
    version: FileVersion,
    index: int,
    transferred: bool,
) -> B2DeleteAction:
    return B2DeleteAction(
        dest_path.relative_path,
        dest_folder.make_full_path(dest_path.relative_path),
        version.id_,
        make_b2_delete_note(version, index, transferred),
    )
