"""What a sync does: one action changes one file, or one version of it."""

from __future__ import annotations

import errno
import os
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING

from .._core.transfer import Anchor
from ..bulk.items import DownloadItem, UploadItem
from ..exception import DestinationOutsideDirectory, LocalFileError
from ..http_constants import SRC_LAST_MODIFIED_MILLIS
from ..log import logger_of
from ..transfer.inbound.destination import place_below
from ..transfer.outbound.upload_source import UploadSourceLocalFile
from ..utils.filesystem import link_out_of, links_on_way, unlink_below
from ..utils.text import escape_control_chars, unprintable_to_hex

if TYPE_CHECKING:
    from ..bucket import Bucket
    from ..file_version import FileVersion
    from ..progress import AbstractProgressListener
    from ..scan.path import B2Path
    from ..transfer.outbound.outbound_source import OutboundTransferSource
    from .encryption_provider import AbstractSyncEncryptionSettingsProvider
    from .report import SyncReport

logger = logger_of(__name__)


class AbstractAction(ABC):
    """Something to do; ``str`` of it says what, in one line.

    A ``reporter`` is told what is done. It may be None everywhere.
    """

    def run(self, bucket: Bucket, reporter: SyncReport | None, dry_run: bool = False) -> None:
        """Do it, and tell the reporter; an error is told, too, and raised.

        :param bucket: the bucket that is synced to; the one that is synced from for downloads
        :param dry_run: tell the reporter only
        """
        try:
            if not dry_run:
                self.do_action(bucket, reporter)
            self.do_report(bucket, reporter)
        except Exception as error:
            self.report_failure(error, reporter)
            raise

    def report_failure(self, error: Exception, reporter: SyncReport | None) -> None:
        """Tell the reporter that it could not be done."""
        logger.error('%s failed', self, exc_info=error)
        if reporter is not None:
            reporter.error(unprintable_to_hex(f'{self}: {error!r} {error}'))

    @abstractmethod
    def get_bytes(self) -> int:
        """How many bytes are transferred."""

    @abstractmethod
    def do_action(self, bucket: Bucket, reporter: SyncReport | None) -> None:
        """Do it; the reporter is told the progress."""

    @abstractmethod
    def do_report(self, bucket: Bucket, reporter: SyncReport | None) -> None:
        """Tell the reporter that it is done."""


class B2UploadAction(AbstractAction):
    """Uploads a local file.

    :param local_full_path: where it is
    :param relative_name: its path below the folder that is synced
    :param b2_file_name: what it is called in the bucket
    :param mod_time_millis: when it was modified, in milliseconds since 1970
    :param size: its bytes
    :ivar large_file_sha1: the SHA-1 of the content, if it is made of what is stored and of what
        is sent
    """

    def __init__(
        self,
        local_full_path: str,
        relative_name: str,
        b2_file_name: str,
        mod_time_millis: int,
        size: int,
        encryption_settings_provider: AbstractSyncEncryptionSettingsProvider,
    ) -> None:
        self.local_full_path = local_full_path
        self.relative_name = relative_name
        self.b2_file_name = b2_file_name
        self.mod_time_millis = mod_time_millis
        self.size = size
        self.encryption_settings_provider = encryption_settings_provider
        self.large_file_sha1: str | None = None

    def __str__(self) -> str:
        return f'b2_upload({self.local_full_path}, {self.b2_file_name}, {self.mod_time_millis})'

    def get_bytes(self) -> int:
        """The size of the file."""
        return self.size

    @cached_property
    def _upload_source(self) -> UploadSourceLocalFile:
        # Kept, because it knows its SHA-1 once that is computed.
        return UploadSourceLocalFile(self.local_full_path)

    def get_all_sources(self) -> list[OutboundTransferSource]:
        """What the file in the bucket is made of, one after the other."""
        return [self._upload_source]

    def upload_item(self, bucket: Bucket) -> UploadItem:
        """The file for `Bucket.upload_many`, with what is stored beside its content."""
        file_info = {SRC_LAST_MODIFIED_MILLIS: str(self.mod_time_millis)}
        encryption = self.encryption_settings_provider.get_setting_for_upload(
            bucket=bucket, b2_file_name=self.b2_file_name, file_info=file_info, length=self.size
        )
        return UploadItem(
            self.local_full_path, self.b2_file_name, file_info=file_info, encryption=encryption
        )

    def do_action(self, bucket: Bucket, reporter: SyncReport | None) -> None:
        """Upload the file; see `Bucket.concatenate`."""
        item = self.upload_item(bucket)
        with _progress_of_file(reporter) as listener:
            self._upload(bucket, item, listener)

    def _upload(
        self, bucket: Bucket, item: UploadItem, listener: AbstractProgressListener | None
    ) -> None:
        sources = self.get_all_sources()
        if len(sources) > 1:
            self.large_file_sha1 = self._upload_source.get_content_sha1()
        self._upload_sources(bucket, item, sources, listener)

    def _upload_sources(
        self,
        bucket: Bucket,
        item: UploadItem,
        sources: list[OutboundTransferSource],
        listener: AbstractProgressListener | None,
    ) -> FileVersion:
        return bucket.concatenate(
            sources,
            self.b2_file_name,
            # A copy of all of the stored version takes file info only together with it.
            content_type=bucket.DEFAULT_CONTENT_TYPE,
            progress_listener=listener,
            file_info=item.file_info,
            encryption=item.encryption,
            large_file_sha1=self.large_file_sha1,
        )

    def do_report(self, bucket: Bucket, reporter: SyncReport | None) -> None:
        """Tell the reporter that it is done."""
        _report(reporter, f'upload {escape_control_chars(self.relative_name)}')


class B2IncrementalUploadAction(B2UploadAction):
    """Uploads what was appended to a local file; the rest is copied within B2.

    A file that does not start with the content of its stored version is uploaded as a whole.

    :param file_version: the stored version; None if there is none
    :param absolute_minimum_part_size: bytes; see `UploadSourceLocalFile.get_incremental_sources`
    """

    def __init__(
        self,
        local_full_path: str,
        relative_name: str,
        b2_file_name: str,
        mod_time_millis: int,
        size: int,
        encryption_settings_provider: AbstractSyncEncryptionSettingsProvider,
        file_version: FileVersion | None = None,
        absolute_minimum_part_size: int | None = None,
    ) -> None:
        super().__init__(
            local_full_path,
            relative_name,
            b2_file_name,
            mod_time_millis,
            size,
            encryption_settings_provider,
        )
        self.file_version = file_version
        self.absolute_minimum_part_size = absolute_minimum_part_size

    def get_all_sources(self) -> list[OutboundTransferSource]:
        """A copy of the stored version and the rest of the file, or the file alone."""
        return self._upload_source.get_incremental_sources(
            self.file_version, self.absolute_minimum_part_size
        )


class B2HideAction(AbstractAction):
    """Hides a file of the bucket.

    :param relative_name: its path below the folder that is synced
    :param b2_file_name: what it is called in the bucket
    """

    def __init__(self, relative_name: str, b2_file_name: str) -> None:
        self.relative_name = relative_name
        self.b2_file_name = b2_file_name

    def __str__(self) -> str:
        return f'b2_hide({self.b2_file_name})'

    def get_bytes(self) -> int:
        """0: nothing is transferred."""
        return 0

    def do_action(self, bucket: Bucket, reporter: SyncReport | None) -> None:
        """Hide the file; see `Bucket.hide_file`."""
        bucket.hide_file(self.b2_file_name)

    def do_report(self, bucket: Bucket, reporter: SyncReport | None) -> None:
        """Tell the reporter that it is done."""
        _report_with_count(reporter, f'hide   {escape_control_chars(self.relative_name)}')


class B2DownloadAction(AbstractAction):
    """Downloads a version of a file.

    :param source_path: the file; its selected version is downloaded
    :param b2_file_name: what it is called in the bucket
    :param local_full_path: where it goes
    """

    def __init__(
        self,
        source_path: B2Path,
        b2_file_name: str,
        local_full_path: str,
        encryption_settings_provider: AbstractSyncEncryptionSettingsProvider,
    ) -> None:
        self.source_path = source_path
        self.b2_file_name = b2_file_name
        self.local_full_path = local_full_path
        self.encryption_settings_provider = encryption_settings_provider

    def __str__(self) -> str:
        return (
            f'b2_download({self.b2_file_name}, {self.source_path.selected_version.id_}, '
            f'{self.local_full_path}, {self.source_path.mod_time})'
        )

    def get_bytes(self) -> int:
        """The size of the file."""
        return self.source_path.size

    @property
    def local_folder(self) -> str:
        """The folder that is synced to, which the file stays below."""
        return self._way[0]

    @cached_property
    def _way(self) -> tuple[str, str]:
        return _way_to(self.local_full_path, self.source_path.relative_path)

    def download_item(self, bucket: Bucket) -> DownloadItem:
        """The file for `Bucket.download_many`.

        :raises DestinationOutsideDirectory: if the file would go through a symbolic link that
            leads out of the folder that is synced.
        """
        path, version = self.local_full_path, self.source_path.selected_version
        link = link_out_of(*self._way)
        if link is not None:
            raise DestinationOutsideDirectory(path, link)
        encryption = self.encryption_settings_provider.get_setting_for_download(
            bucket=bucket, file_version=version
        )
        return DownloadItem(version, path, encryption)

    def do_action(self, bucket: Bucket, reporter: SyncReport | None) -> None:
        """Download the file into a new one, which replaces what is there in one step.

        Directories that are missing are made. A symbolic link, a pipe and the like in the place of
        the file is replaced, not written through. If the download fails, what was there stays.

        :raises DestinationOutsideDirectory: if the file would go through a symbolic link that
            leads out of the folder that is synced.
        :raises DestinationError: if it cannot be written where it should go.

        It raises what `DownloadedFile.save_to` raises, too.
        """
        path = self.local_full_path
        item = self.download_item(bucket)
        place = place_below(Anchor(self.local_folder, replaces_all=True), path)
        with _progress_of_file(reporter) as listener:
            opened = bucket.download_file_by_id(
                self.source_path.selected_version.id_, listener, encryption=item.encryption
            )
            try:
                opened.save_at(place, path)
            finally:
                opened.response.close()

    def do_report(self, bucket: Bucket, reporter: SyncReport | None) -> None:
        """Tell the reporter that it is done."""
        _report(reporter, f'dnload {unprintable_to_hex(self.source_path.relative_path)}')


class B2CopyAction(AbstractAction):
    """Copies a version of a file within B2.

    :param b2_file_name: what the file is called in the bucket that is synced from
    :param source_path: the file; its selected version is copied
    :param dest_b2_file_name: what the copy is called
    """

    def __init__(
        self,
        b2_file_name: str,
        source_path: B2Path,
        dest_b2_file_name: str,
        source_bucket: Bucket,
        destination_bucket: Bucket,
        encryption_settings_provider: AbstractSyncEncryptionSettingsProvider,
    ) -> None:
        self.b2_file_name = b2_file_name
        self.source_path = source_path
        self.dest_b2_file_name = dest_b2_file_name
        self.source_bucket = source_bucket
        self.destination_bucket = destination_bucket
        self.encryption_settings_provider = encryption_settings_provider

    def __str__(self) -> str:
        return (
            f'b2_copy({self.b2_file_name}, {self.source_path.selected_version.id_}, '
            f'{self.dest_b2_file_name}, {self.source_path.mod_time})'
        )

    def get_bytes(self) -> int:
        """The size of the file."""
        return self.source_path.size

    def do_action(self, bucket: Bucket, reporter: SyncReport | None) -> None:
        """Copy the file with its content type and file info; see `Bucket.copy`."""
        version = self.source_path.selected_version
        provider = self.encryption_settings_provider
        source_encryption = provider.get_source_setting_for_copy(
            bucket=self.source_bucket, source_file_version=version
        )
        destination_encryption = provider.get_destination_setting_for_copy(
            bucket=self.destination_bucket,
            source_file_version=version,
            dest_b2_file_name=self.dest_b2_file_name,
        )
        with _progress_of_file(reporter) as listener:
            bucket.copy(
                version.id_,
                self.dest_b2_file_name,
                length=self.source_path.size,
                progress_listener=listener,
                destination_encryption=destination_encryption,
                source_encryption=source_encryption,
                source_file_info=version.file_info,
                source_content_type=version.content_type,
            )

    def do_report(self, bucket: Bucket, reporter: SyncReport | None) -> None:
        """Tell the reporter that it is done."""
        _report(reporter, f'copy {unprintable_to_hex(self.source_path.relative_path)}')


class B2DeleteAction(AbstractAction):
    """Deletes a version of a file of the bucket.

    :param relative_name: its path below the folder that is synced
    :param b2_file_name: what it is called in the bucket
    :param file_id: the version
    :param note: says why it need not stay
    """

    def __init__(self, relative_name: str, b2_file_name: str, file_id: str, note: str) -> None:
        self.relative_name = relative_name
        self.b2_file_name = b2_file_name
        self.file_id = file_id
        self.note = note

    def __str__(self) -> str:
        return f'b2_delete({self.b2_file_name}, {self.file_id}, {self.note})'

    def get_bytes(self) -> int:
        """0: nothing is transferred."""
        return 0

    def do_action(self, bucket: Bucket, reporter: SyncReport | None) -> None:
        """Delete the version; see `B2Api.delete_file_version`."""
        bucket.api.delete_file_version(self.file_id, self.b2_file_name)

    def do_report(self, bucket: Bucket, reporter: SyncReport | None) -> None:
        """Tell the reporter that it is done."""
        name = escape_control_chars(self.relative_name)
        _report_with_count(reporter, f'delete {name} {self.note}')


class LocalDeleteAction(AbstractAction):
    """Deletes a local file.

    :param relative_name: its path below the folder that is synced
    :param full_path: where it is
    """

    def __init__(self, relative_name: str, full_path: str) -> None:
        self.relative_name = relative_name
        self.full_path = full_path

    def __str__(self) -> str:
        return f'local_delete({self.full_path})'

    def get_bytes(self) -> int:
        """0: nothing is transferred."""
        return 0

    def do_action(self, bucket: Bucket, reporter: SyncReport | None) -> None:
        """Delete the file; of a symbolic link only the link. One that is gone needs no deleting.

        :raises LocalFileError: if it may not be deleted, or if a directory of its path below the
            folder is a symbolic link: the same file is found elsewhere, and may be wanted there.
        """
        path = self.full_path
        folder, directories = _way_to(path, self.relative_name)
        link = _first_link(folder, directories)
        if link is not None:
            reason = f'not deleted, because it is reached through the symbolic link {link}'
            raise LocalFileError(path, errno.ELOOP, reason)
        try:
            unlink_below(folder, directories, os.path.basename(path))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise LocalFileError(path, error.errno, error.strerror or str(error)) from error

    def do_report(self, bucket: Bucket, reporter: SyncReport | None) -> None:
        """Tell the reporter that it is done."""
        _report_with_count(reporter, f'delete {escape_control_chars(self.relative_name)}')


def _progress_of_file(
    reporter: SyncReport | None,
) -> AbstractContextManager[AbstractProgressListener | None]:
    """The listener of one transfer, which counts the file as transferred when it is left."""
    if reporter is None:
        return nullcontext()
    from .report import SyncFileReporter

    return SyncFileReporter(reporter)


def _report(reporter: SyncReport | None, message: str) -> None:
    if reporter is not None:
        reporter.print_completion(message)


def _report_with_count(reporter: SyncReport | None, message: str) -> None:
    """Report what had no listener that counts it."""
    if reporter is not None:
        reporter.update_transfer(1, 0)
        reporter.print_completion(message)


def _way_to(path: str, relative_name: str) -> tuple[str, str]:
    """The folder that a file of a relative name is below, and the directories between the two.

    For a path that does not end in the name this is the directory of the file, and none between.
    """
    below = os.sep + relative_name.replace('/', os.sep)
    if not path.endswith(below):
        return os.path.dirname(path), ''
    return path.removesuffix(below) or os.sep, relative_name.rpartition('/')[0]


def _first_link(folder: str, directories: str) -> str | None:
    """The first symbolic link among the directories below a folder."""
    return next(links_on_way(folder, directories), None)
