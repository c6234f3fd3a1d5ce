"""What makes files in a bucket: uploads of content, and copies of files."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from .exception import FileNotPresent, InvalidArgument
from .file_info import with_standard_headers
from .large_file.services import AUTO_CONTENT_TYPE
from .progress import AbstractProgressListener, DoNothingProgressListener
from .transfer.emerge.new_file import NewFile
from .transfer.emerge.write_intent import WriteIntent
from .transfer.outbound.copy_source import CopySource
from .transfer.outbound.file_upload import FileUpload
from .transfer.outbound.upload_source import (
    AbstractUploadSource,
    UploadMode,
    UploadSourceBytes,
    UploadSourceLocalFile,
    bytes_of,
)
from .utils.file_names import validate_b2_file_name

if TYPE_CHECKING:
    import datetime as dt
    import os

    from .api import B2Api
    from .encryption.setting import EncryptionSetting
    from .file_lock import FileRetentionSetting, LegalHold
    from .file_version import DownloadVersion, FileVersion
    from .transfer.outbound.outbound_source import OutboundTransferSource
    from .types import Sha1HexDigest


class BucketWrites:
    """The part of `Bucket` that makes files."""

    DEFAULT_CONTENT_TYPE = AUTO_CONTENT_TYPE

    api: B2Api
    id_: str

    @abstractmethod
    def get_file_info_by_name(self, file_name: str) -> DownloadVersion:
        """See `Bucket.get_file_info_by_name`."""

    def upload_bytes(
        self,
        data_bytes: bytes | bytearray | memoryview,
        file_name: str,
        content_type: str | None = None,
        file_info: dict[str, str] | None = None,
        progress_listener: AbstractProgressListener | None = None,
        encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
        large_file_sha1: Sha1HexDigest | None = None,
        custom_upload_timestamp: int | None = None,
        cache_control: str | None = None,
        expires: str | dt.datetime | None = None,
        content_disposition: str | None = None,
        content_encoding: str | None = None,
        content_language: str | None = None,
    ) -> FileVersion:
        """Upload bytes in memory; see `upload` for the parameters."""
        return self.upload(
            UploadSourceBytes(bytes_of(data_bytes)),
            file_name,
            content_type=content_type,
            file_info=file_info,
            progress_listener=progress_listener,
            encryption=encryption,
            file_retention=file_retention,
            legal_hold=legal_hold,
            large_file_sha1=large_file_sha1,
            custom_upload_timestamp=custom_upload_timestamp,
            cache_control=cache_control,
            expires=expires,
            content_disposition=content_disposition,
            content_encoding=content_encoding,
            content_language=content_language,
        )

    def upload_local_file(
        self,
        local_file: os.PathLike[str] | str,
        file_name: str,
        content_type: str | None = None,
        file_info: dict[str, str] | None = None,
        sha1_sum: Sha1HexDigest | None = None,
        min_part_size: int | None = None,
        progress_listener: AbstractProgressListener | None = None,
        encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
        upload_mode: UploadMode = UploadMode.FULL,
        custom_upload_timestamp: int | None = None,
        cache_control: str | None = None,
        expires: str | dt.datetime | None = None,
        content_disposition: str | None = None,
        content_encoding: str | None = None,
        content_language: str | None = None,
    ) -> FileVersion:
        """Upload a local file, a large one in parts.

        A file may not change meanwhile; `SourceChanged` says that it did. See `upload` for the
        parameters that are not explained here.

        :param local_file: its path; symbolic links are followed
        :param sha1_sum: its SHA-1 in hex, if it is known, which saves one pass over a large file
        :param upload_mode: with `UploadMode.INCREMENTAL` a file that starts with the content of
                    its newest version, as one that was appended to, is made of a copy of that
                    version and of what follows. It is read twice

        Raises `InvalidUploadSource` if there is no regular file, and `OSError` if it cannot be
        read.
        """
        source = UploadSourceLocalFile(local_file, sha1_sum)
        file_info = with_standard_headers(
            file_info,
            cache_control=cache_control,
            expires=expires,
            content_disposition=content_disposition,
            content_encoding=content_encoding,
            content_language=content_language,
        )
        if upload_mode is UploadMode.INCREMENTAL:
            sources = self._incremental_sources(source, file_name)
            # A mere copy has the time at which it is made.
            is_copy = sources[-1].get_content_length() == 0
            if len(sources) > 1 and not (is_copy and custom_upload_timestamp is not None):
                emerger = self.api.services.emerger
                return emerger.emerge(
                    NewFile(
                        self.id_,
                        file_name,
                        # Metadata are those of the upload, not those of the copied version.
                        content_type or self.DEFAULT_CONTENT_TYPE,
                        file_info,
                        encryption,
                        file_retention,
                        legal_hold,
                        custom_upload_timestamp,
                    ),
                    WriteIntent.wrap_sources_iterator(sources),
                    progress_listener or DoNothingProgressListener(),
                    emerger.part_sizes(min_part_size),
                    large_file_sha1=source.get_content_sha1(),
                )
        return self._upload(
            source,
            file_name,
            content_type,
            file_info,
            progress_listener,
            encryption,
            file_retention,
            legal_hold,
            custom_upload_timestamp,
            min_part_size=min_part_size,
        )

    def _incremental_sources(
        self, source: UploadSourceLocalFile, file_name: str
    ) -> list[OutboundTransferSource]:
        validate_b2_file_name(file_name)
        try:
            stored = self.get_file_info_by_name(file_name)
        except FileNotPresent:
            return [source]
        return source.get_incremental_sources(
            stored, self.api.account_info.get_absolute_minimum_part_size()
        )

    def upload(
        self,
        upload_source: AbstractUploadSource,
        file_name: str,
        content_type: str | None = None,
        file_info: dict[str, str] | None = None,
        min_part_size: int | None = None,
        progress_listener: AbstractProgressListener | None = None,
        encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
        large_file_sha1: Sha1HexDigest | None = None,
        custom_upload_timestamp: int | None = None,
        cache_control: str | None = None,
        expires: str | dt.datetime | None = None,
        content_disposition: str | None = None,
        content_encoding: str | None = None,
        content_language: str | None = None,
    ) -> FileVersion:
        """Upload the content of a source.

        Failed attempts are repeated. If a large file fails for good, its parts stay in the
        bucket, and a note of the exception has its ID. The next upload of the same content with
        the same name and metadata sends only what is missing, unless the key may not list files
        or the file is encrypted with a customer's key.

        :param file_name: 1 to 1024 bytes of UTF-8 without control characters, ``//`` and ``/`` at
                    either end; at most 250 bytes between two ``/``
        :param content_type: a MIME type; None lets B2 choose by the extension of the name
        :param file_info: keys and values to keep with the file
        :param min_part_size: bytes; parts of a large file are not smaller, but for the last one
        :param progress_listener: is told what is sent; it is not closed
        :param encryption: SSE-B2, or SSE-C with a key; None for the bucket's default
        :param file_retention: until when the file cannot be deleted
        :param legal_hold: whether it cannot be deleted at all
        :param large_file_sha1: the SHA-1 of a large file in hex, if known; goes into its file
                    info unchecked
        :param custom_upload_timestamp: milliseconds since 1970, for accounts that may set it
        :param cache_control: a header of later downloads, as are the following ones; each wins
                    over the same one in ``file_info``
        :param expires: an HTTP date, or a moment (in UTC if it has no time zone)

        Raises `UnusableFileName` for a name that B2 refuses, `MaxFileSizeExceeded` above 10 TB,
        `InvalidArgument` for a part size out of B2's limits, all before anything is sent; then
        `MaxRetriesExceeded` and errors of the service.
        """
        return self._upload(
            upload_source,
            file_name,
            content_type,
            with_standard_headers(
                file_info,
                cache_control=cache_control,
                expires=expires,
                content_disposition=content_disposition,
                content_encoding=content_encoding,
                content_language=content_language,
            ),
            progress_listener,
            encryption,
            file_retention,
            legal_hold,
            custom_upload_timestamp,
            large_file_sha1=large_file_sha1,
            recommended_part_size=min_part_size,
            min_part_size=min_part_size,
        )

    def resume_upload(
        self,
        resume_file_id: str,
        upload_source: AbstractUploadSource,
        file_name: str,
        *,
        progress_listener: AbstractProgressListener | None = None,
    ) -> FileVersion:
        """Upload the rest of an unfinished large file, whichever program has started it.

        Its content type, file info and the rest stay as they were set at its start, and the
        parts get the size of those that are there. A part that is not the source's is sent
        again. To B2 the file is as old as its start: a version of the name that was uploaded
        since stays the newest.

        `upload` and `upload_local_file` find the unfinished file of their content themselves.
        This is for one that they do not find, since it was started with other parts or other
        metadata.

        :param resume_file_id: as `list_unfinished_large_files` tells it
        :param upload_source: all of the content, not only the rest
        :param file_name: the name that the file was started with
        :param progress_listener: is told what is there and what is sent; it is not closed

        Raises `CannotResumeUpload` if it is of another name or other content, finished already,
        unknown, in use by another upload of this process, or encrypted with a customer's key;
        else what `upload` raises.
        """
        return self.api.services.upload_manager.resume(
            self.id_,
            resume_file_id,
            upload_source,
            file_name,
            progress_listener or DoNothingProgressListener(),
        )

    def _upload(
        self,
        source: AbstractUploadSource,
        file_name: str,
        content_type: str | None,
        file_info: dict[str, str],
        progress_listener: AbstractProgressListener | None,
        encryption: EncryptionSetting | None,
        file_retention: FileRetentionSetting | None,
        legal_hold: LegalHold | None,
        custom_upload_timestamp: int | None,
        *,
        large_file_sha1: Sha1HexDigest | None = None,
        recommended_part_size: int | None = None,
        min_part_size: int | None = None,
    ) -> FileVersion:
        return self.api.services.upload_manager.upload(
            FileUpload(
                self.id_,
                file_name,
                content_type or self.DEFAULT_CONTENT_TYPE,
                file_info,
                encryption,
                file_retention,
                legal_hold,
                custom_upload_timestamp,
            ),
            source,
            progress_listener or DoNothingProgressListener(),
            large_file_sha1=large_file_sha1,
            recommended_part_size=recommended_part_size,
            min_part_size=min_part_size,
        )

    def copy(
        self,
        file_id: str,
        new_file_name: str,
        content_type: str | None = None,
        file_info: dict[str, str] | None = None,
        offset: int = 0,
        length: int | None = None,
        progress_listener: AbstractProgressListener | None = None,
        destination_encryption: EncryptionSetting | None = None,
        source_encryption: EncryptionSetting | None = None,
        source_file_info: dict[str, str] | None = None,
        source_content_type: str | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
        cache_control: str | None = None,
        min_part_size: int | None = None,
        max_part_size: int | None = None,
        expires: str | dt.datetime | None = None,
        content_disposition: str | None = None,
        content_encoding: str | None = None,
        content_language: str | None = None,
    ) -> FileVersion:
        """Make a file in this bucket of one in the same account, or of a stretch of it.

        The content is copied within B2: by one call (``b2_copy_file``) up to 5 GB, else in parts
        that are copied side by side.

        :param file_id: the source, in whichever bucket
        :param content_type: None to take content type and file info from the source
        :param file_info: replaces the source's; only with a content type
        :param offset: the first byte to copy; needs ``length``
        :param length: bytes to copy; None or 0 for the whole file
        :param progress_listener: is told the length, if it is known before, and what was copied
        :param destination_encryption: SSE-B2, or SSE-C with a key; None for the bucket's default
        :param source_encryption: the key of an SSE-C file
        :param source_file_info: the source's file info; with ``source_content_type`` it is
                    needed where content type and file info are taken from the source and the
                    keys of source and copy have different IDs
        :param file_retention: until when the copy cannot be deleted
        :param legal_hold: whether it cannot be deleted at all
        :param cache_control: a header of later downloads, as are ``expires`` and the following
                    ones; they belong to the file info, so they need a content type
        :param min_part_size: bytes of every part but the last one; B2's minimum if None
        :param max_part_size: bytes; more than that is copied in parts. 5 GB if None

        Raises `ValueError` for an offset without a length, `UnusableFileName`,
        `CopyArgumentsMismatch` for file info without a content type or a content type without
        file info (which a stretch may have), `SSECKeyIdMismatchInCopy` if ``source_file_info``
        is missing for a copy by one call, `InvalidUserInput` and `InvalidArgument` for part
        sizes that contradict each other or that B2 refuses, and errors of the service.
        """
        source = CopySource(
            file_id,
            offset,
            length,
            source_encryption,
            source_file_info,
            source_content_type,
        )
        validate_b2_file_name(new_file_name)
        if (length or 0) < 0:
            raise InvalidArgument('length', 'must not be negative')
        merged = with_standard_headers(
            file_info,
            cache_control=cache_control,
            expires=expires,
            content_disposition=content_disposition,
            content_encoding=content_encoding,
            content_language=content_language,
        )
        return self.api.services.emerger.copy(
            NewFile(
                self.id_,
                new_file_name,
                content_type,
                merged or file_info,
                destination_encryption,
                file_retention,
                legal_hold,
            ),
            source,
            progress_listener or DoNothingProgressListener(),
            min_part_size,
            max_part_size,
        )
