"""Buckets."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .encryption.setting import EncryptionSetting
from .encryption.types import EncryptionMode
from .exception import (
    BucketIdNotFound,
    FileNotHidden,
    FileNotPresent,
    InvalidArgument,
    UnexpectedFileVersionAction,
)
from .file_info import with_standard_headers
from .file_lock import UNKNOWN_BUCKET_RETENTION, BucketRetentionSetting
from .file_version import DownloadVersion, FileIdAndName, FileVersion
from .filter import Filter
from .http_constants import LIST_FILE_NAMES_MAX_LIMIT
from .large_file.part import Part
from .large_file.services import AUTO_CONTENT_TYPE
from .large_file.unfinished_large_file import UnfinishedLargeFile
from .listing import FolderListing
from .progress import AbstractProgressListener, DoNothingProgressListener
from .transfer.inbound.download_manager import naming
from .transfer.outbound.file_upload import FileUpload
from .transfer.outbound.upload_source import (
    AbstractUploadSource,
    UploadMode,
    UploadSourceBytes,
    UploadSourceLocalFile,
    bytes_of,
)

if TYPE_CHECKING:
    import datetime as dt
    import os

    from .api import B2Api
    from .file_lock import FileRetentionSetting, LegalHold
    from .replication.setting import ReplicationConfiguration
    from .transfer.inbound.downloaded_file import DownloadedFile
    from .types import LifecycleRule, Sha1HexDigest


class Bucket:
    """A bucket and what can be done in it.

    One that comes from `B2Api.get_bucket_by_name` may know its ID and name only, since both can
    come from a cache; `get_fresh_state` asks for the rest.
    """

    DEFAULT_CONTENT_TYPE = AUTO_CONTENT_TYPE

    def __init__(
        self,
        api: B2Api,
        id_: str,
        name: str | None = None,
        type_: str | None = None,
        bucket_info: dict[str, str] | None = None,
        cors_rules: list[dict[str, Any]] | None = None,
        lifecycle_rules: list[LifecycleRule] | None = None,
        revision: int | None = None,
        bucket_dict: dict[str, Any] | None = None,
        options_set: set[str] | None = None,
        default_server_side_encryption: EncryptionSetting = EncryptionSetting(  # noqa: B008
            EncryptionMode.UNKNOWN
        ),
        default_retention: BucketRetentionSetting = UNKNOWN_BUCKET_RETENTION,
        is_file_lock_enabled: bool | None = None,
        replication: ReplicationConfiguration | None = None,
    ) -> None:
        self.api = api
        self.id_ = id_
        # Every bucket that an API object hands out has a name, so who uses one need not ask.
        self.name: str = name  # type: ignore[assignment]
        self.type_ = type_
        self.bucket_info = bucket_info or {}
        self.cors_rules = cors_rules or []
        self.lifecycle_rules = lifecycle_rules or []
        self.revision = revision
        self.bucket_dict = bucket_dict or {}
        self.options_set = options_set or set()
        self.default_server_side_encryption = default_server_side_encryption
        self.default_retention = default_retention
        self.is_file_lock_enabled = is_file_lock_enabled
        self.replication = replication

    def __repr__(self) -> str:
        return f'{type(self).__name__}<{self.id_},{self.name},{self.type_}>'

    def as_dict(self) -> dict[str, Any]:
        """The bucket as data for JSON, named as in the native API."""
        result: dict[str, Any] = {
            'accountId': self.api.account_info.get_account_id(),
            'bucketId': self.id_,
            'bucketInfo': self.bucket_info,
            'corsRules': self.cors_rules,
            'lifecycleRules': self.lifecycle_rules,
            'revision': self.revision,
            'options': self.options_set,
            'defaultServerSideEncryption': self.default_server_side_encryption.as_dict(),
            'isFileLockEnabled': self.is_file_lock_enabled,
            'defaultRetention': self.default_retention.as_dict(),
            'replication': self.replication and self.replication.as_dict(),
        }
        if self.name is not None:
            result['bucketName'] = self.name
        if self.type_ is not None:
            result['bucketType'] = self.type_
        return result

    def get_id(self) -> str:
        """The ID."""
        return self.id_

    def get_fresh_state(self) -> Bucket:
        """The bucket as the service has it now. Raises `BucketIdNotFound` if it is gone."""
        found = self.api.list_buckets(bucket_id=self.id_)
        if not found:
            raise BucketIdNotFound(self.id_)
        return found[0]

    def set_info(
        self, new_bucket_info: dict[str, str], if_revision_is: int | None = None
    ) -> Bucket:
        """Replace the bucket info; see `update`."""
        return self.update(bucket_info=new_bucket_info, if_revision_is=if_revision_is)

    def set_type(self, bucket_type: str) -> Bucket:
        """Make the bucket ``allPrivate`` or ``allPublic``; see `update`."""
        return self.update(bucket_type=bucket_type)

    def update(
        self,
        bucket_type: str | None = None,
        bucket_info: dict[str, str] | None = None,
        cors_rules: list[dict[str, Any]] | None = None,
        lifecycle_rules: list[LifecycleRule] | None = None,
        if_revision_is: int | None = None,
        default_server_side_encryption: EncryptionSetting | None = None,
        default_retention: BucketRetentionSetting | None = None,
        replication: ReplicationConfiguration | None = None,
        is_file_lock_enabled: bool | None = None,
    ) -> Bucket:
        """Change settings (``b2_update_bucket``) and return the bucket with all of them.

        None leaves a setting as it is; anything else replaces it.

        :param if_revision_is: raise `Conflict` if the bucket has another revision by now
        """
        return self.api.BUCKET_FACTORY_CLASS.from_api_bucket_dict(
            self.api,
            self.api.session.update_bucket(
                self.api.account_info.get_account_id(),
                self.id_,
                bucket_type=bucket_type,
                bucket_info=bucket_info,
                cors_rules=cors_rules,
                lifecycle_rules=lifecycle_rules,
                if_revision_is=if_revision_is,
                default_server_side_encryption=default_server_side_encryption,
                default_retention=default_retention,
                replication=replication,
                is_file_lock_enabled=is_file_lock_enabled,
            ),
        )

    def ls(
        self,
        path: str = '',
        latest_only: bool = True,
        recursive: bool = False,
        fetch_count: int | None = LIST_FILE_NAMES_MAX_LIMIT,
        with_wildcard: bool = False,
        filters: Sequence[Filter] = (),
    ) -> Iterable[tuple[FileVersion, str | None]]:
        """List files like those of a directory, in order of their names.

        Each entry is a version and None, or, unless ``recursive``, the first version in a folder
        and the folder's name with a ``/`` at its end.

        :param path: a file, or a folder (with or without ``/`` at its end)
        :param latest_only: only the newest version of a file, and no hidden ones; else all
        :param recursive: list what is in folders too
        :param fetch_count: entries per call, up to 10000; B2 bills one transaction per 1000
        :param with_wildcard: ``path`` is a pattern of the shell for whole names, in which ``*``
                    matches ``/`` too; needs ``recursive``
        :param filters: which names to list; see `Filter`

        Raises `ValueError` for wildcards without ``recursive``.
        """
        if with_wildcard and not recursive:
            raise ValueError('with_wildcard requires recursive to be turned on as well')
        return FolderListing(
            self, path, latest_only, recursive, fetch_count, with_wildcard, filters
        ).entries()

    def list_file_versions(
        self, file_name: str, fetch_count: int | None = LIST_FILE_NAMES_MAX_LIMIT
    ) -> Iterable[FileVersion]:
        """List all versions of one file, newest first.

        :param fetch_count: entries per call, 1 to 10000; B2 bills one transaction per 1000
        """
        if fetch_count is not None and fetch_count <= 0:
            raise ValueError('unsupported fetch_count value')
        return self._versions_of(file_name, fetch_count)

    def _versions_of(
        self, file_name: str, fetch_count: int | None
    ) -> Generator[FileVersion, None, None]:
        start_name: str | None = file_name
        start_id: str | None = None
        while start_name == file_name:
            answer = self.api.session.list_file_versions(
                self.id_, start_name, start_id, fetch_count, file_name
            )
            for entry in answer['files']:
                version = self.api.file_version_factory.from_api_response(entry)
                if version.file_name != file_name:
                    # Names that only begin like it come after it.
                    return
                yield version
            start_name, start_id = answer['nextFileName'], answer['nextFileId']

    def get_file_info_by_id(self, file_id: str) -> FileVersion:
        """What B2 tells about a version. Raises `FileNotPresent` if there is none."""
        return self.api.get_file_info(file_id)

    def get_file_info_by_name(self, file_name: str) -> DownloadVersion:
        """What B2 tells about the newest version of a file.

        Raises `FileNotPresent` if there is none, or if it is hidden.
        """
        return self.api.get_file_info_by_name(self._known_name(), file_name)

    def download_file_by_id(
        self,
        file_id: str,
        progress_listener: AbstractProgressListener | None = None,
        range_: tuple[int, int] | None = None,
        encryption: EncryptionSetting | None = None,
    ) -> DownloadedFile:
        """Open a download of a version; see `B2Api.download_file_by_id`."""
        return self.api.download_file_by_id(file_id, progress_listener, range_, encryption)

    def download_file_by_name(
        self,
        file_name: str,
        progress_listener: AbstractProgressListener | None = None,
        range_: tuple[int, int] | None = None,
        encryption: EncryptionSetting | None = None,
    ) -> DownloadedFile:
        """Open a download of the newest version of a file.

        Parameters and exceptions are those of `B2Api.download_file_by_id`.
        """
        url = self.api.session.get_download_url_by_name(self._known_name(), file_name)
        with naming(file_name):
            return self.api.services.download_manager.download_file_from_url(
                url, progress_listener, range_, encryption
            )

    def get_download_url(self, filename: str) -> str:
        """The URL of the newest version of a file; a private bucket also wants a token."""
        return self.api.get_download_url_for_file_name(self._known_name(), filename)

    def get_download_authorization(
        self, file_name_prefix: str, valid_duration_in_seconds: int
    ) -> str:
        """A token that lets its holder download some files (``b2_get_download_authorization``).

        :param file_name_prefix: what their names begin with
        :param valid_duration_in_seconds: 1 to 604800
        """
        token: str = self.api.session.get_download_authorization(
            self.id_, file_name_prefix, valid_duration_in_seconds
        )['authorizationToken']
        return token

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
        :param upload_mode: `UploadMode.FULL`

        Raises `InvalidUploadSource` if there is no regular file, and `OSError` if it cannot be
        read.
        """
        if upload_mode is not UploadMode.FULL:
            raise InvalidArgument('upload_mode', 'only UploadMode.FULL is possible')
        return self._upload(
            UploadSourceLocalFile(local_file, sha1_sum),
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
            min_part_size=min_part_size,
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
        bucket, and a note of the exception has its ID.

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

    def hide_file(self, file_name: str) -> FileVersion:
        """Hide a file: its newest version becomes a hide marker (``b2_hide_file``)."""
        return self.api.file_version_factory.from_api_response(
            self.api.session.hide_file(self.id_, file_name)
        )

    def unhide_file(self, file_name: str, bypass_governance: bool = False) -> FileIdAndName:
        """Show a hidden file again by deleting its hide marker.

        Raises `FileNotPresent` if there is no version of it, `FileNotHidden` if it is not
        hidden.

        :param bypass_governance: delete the marker although governance retention protects it
        """
        for version in self.list_file_versions(file_name, fetch_count=1):
            match version.action:
                case 'hide':
                    return version.delete(bypass_governance)
                case 'upload':
                    raise FileNotHidden(file_name)
                case 'start':
                    # Not finished, so what is visible is the version below it.
                    continue
                case action:
                    raise UnexpectedFileVersionAction(action)
        raise FileNotPresent(bucket_name=self.name, file_id_or_name=file_name)

    def delete_file_version(
        self, file_id: str, file_name: str, bypass_governance: bool = False
    ) -> FileIdAndName:
        """Delete one version; see `B2Api.delete_file_version`."""
        return self.api.delete_file_version(file_id, file_name, bypass_governance)

    def list_unfinished_large_files(
        self,
        start_file_id: str | None = None,
        batch_size: int | None = None,
        prefix: str | None = None,
    ) -> Generator[UnfinishedLargeFile, None, None]:
        """Large files that are neither finished nor cancelled, oldest first.

        :param start_file_id: the first one to list
        :param batch_size: files per call, up to 100; 100 if None
        :param prefix: only files whose names begin with it
        """
        return self.api.services.large_file.list_unfinished_large_files(
            self.id_, start_file_id, batch_size, prefix
        )

    def list_parts(
        self, file_id: str, start_part_number: int | None = None, batch_size: int | None = None
    ) -> Generator[Part, None, None]:
        """The uploaded parts of an unfinished large file; see `B2Api.list_parts`."""
        return self.api.list_parts(file_id, start_part_number, batch_size)

    def cancel_large_file(self, file_id: str) -> FileIdAndName:
        """Give up a large file and delete its parts; see `B2Api.cancel_large_file`."""
        return self.api.cancel_large_file(file_id)

    def _known_name(self) -> str:
        """The name, which the service is asked for if only the ID is known."""
        if self.name is None:
            self.name = self.get_fresh_state().name
        return self.name
