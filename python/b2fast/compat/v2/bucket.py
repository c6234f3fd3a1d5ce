"""Buckets of v2."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ... import bucket, bucket_factory, exception as v3_exception
from ...http_constants import LIST_FILE_NAMES_MAX_LIMIT
from ...transfer.outbound.upload_source import UploadMode
from .exception import BucketIdNotFound
from .file_version import FileVersionFactory
from .old_parameters import takes_file_infos

if TYPE_CHECKING:
    import os

    from ...encryption.setting import EncryptionSetting
    from ...file_lock import FileRetentionSetting, LegalHold
    from ...file_version import FileVersion
    from ...filter import Filter
    from ...progress import AbstractProgressListener
    from ...types import Sha1HexDigest


class Bucket(bucket.Bucket):
    """As in v3, but ``ls`` lists folders only, unless it is told otherwise."""

    FILE_VERSION_FACTORY_CLASS = FileVersionFactory

    def get_fresh_state(self) -> Bucket:
        """As in v3, but `BucketIdNotFound` is that of v2."""
        try:
            return super().get_fresh_state()  # type: ignore[return-value]
        except v3_exception.BucketIdNotFound as error:
            raise BucketIdNotFound(error.bucket_id) from None

    @takes_file_infos
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
        *args: Any,
        **kwargs: Any,
    ) -> FileVersion:
        """As in v3; ``file_info`` may also be called ``file_infos``."""
        return super().upload_bytes(
            data_bytes,
            file_name,
            content_type,
            file_info,
            progress_listener,
            encryption,
            file_retention,
            legal_hold,
            large_file_sha1,
            custom_upload_timestamp,
            cache_control,
            *args,
            **kwargs,
        )

    @takes_file_infos
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
        *args: Any,
        **kwargs: Any,
    ) -> FileVersion:
        """As in v3; ``file_info`` may also be called ``file_infos``."""
        return super().upload_local_file(
            local_file,
            file_name,
            content_type,
            file_info,
            sha1_sum,
            min_part_size,
            progress_listener,
            encryption,
            file_retention,
            legal_hold,
            upload_mode,
            custom_upload_timestamp,
            cache_control,
            *args,
            **kwargs,
        )

    def ls(  # type: ignore[override]
        self,
        folder_to_list: str = '',
        latest_only: bool = True,
        recursive: bool = False,
        fetch_count: int | None = LIST_FILE_NAMES_MAX_LIMIT,
        with_wildcard: bool = False,
        filters: Sequence[Filter] = (),
        folder_to_list_can_be_a_file: bool = False,
        **kwargs: Any,
    ) -> Iterable[tuple[FileVersion, str | None]]:
        """As in v3, but what is listed is a folder.

        :param folder_to_list: its name, with or without ``/`` at its end
        :param folder_to_list_can_be_a_file: it may be the name of a file too, as in v3
        """
        if folder_to_list and not with_wildcard and not folder_to_list_can_be_a_file:
            folder_to_list = folder_to_list.removesuffix('/') + '/'
        return super().ls(
            folder_to_list, latest_only, recursive, fetch_count, with_wildcard, filters, **kwargs
        )


class BucketFactory(bucket_factory.BucketFactory):
    """As in v3, for buckets of v2."""

    BUCKET_CLASS = Bucket
