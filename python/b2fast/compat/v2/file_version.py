"""File versions of v2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import file_version as v3
from ...file_lock import NO_RETENTION_FILE_SETTING, FileRetentionSetting, LegalHold

if TYPE_CHECKING:
    from ...api import B2Api
    from ...encryption.setting import EncryptionSetting
    from ...replication.types import ReplicationStatus


class FileVersion(v3.FileVersion):
    """As in v3, but ``cache_control`` can be set, and is a field of the data for JSON."""

    __slots__ = ('cache_control',)

    def __init__(
        self,
        api: B2Api,
        id_: str,
        file_name: str,
        size: int | str | None,
        content_type: str | None,
        content_sha1: str | None,
        file_info: dict[str, str],
        upload_timestamp: int,
        account_id: str,
        bucket_id: str,
        action: str,
        content_md5: str | None,
        server_side_encryption: EncryptionSetting,
        file_retention: FileRetentionSetting = NO_RETENTION_FILE_SETTING,
        legal_hold: LegalHold = LegalHold.UNSET,
        replication_status: ReplicationStatus | None = None,
        cache_control: str | None = None,
    ) -> None:
        if cache_control is None:
            cache_control = (file_info or {}).get('b2-cache-control')
        self.cache_control: str | None = cache_control
        super().__init__(
            api,
            id_,
            file_name,
            size,
            content_type,
            content_sha1,
            file_info,
            upload_timestamp,
            account_id,
            bucket_id,
            action,
            content_md5,
            server_side_encryption,
            file_retention,
            legal_hold,
            replication_status,
        )

    def _end_reading(self) -> None:
        self.cache_control = self.file_info.get('b2-cache-control')

    def as_dict(self) -> dict[str, Any]:
        """The same as data for JSON, named as in the native API."""
        result = super().as_dict()
        if self.cache_control is not None:
            result['cacheControl'] = self.cache_control
        return result


class FileVersionFactory(v3.FileVersionFactory):
    """As in v3, for file versions of v2."""

    FILE_VERSION_CLASS = FileVersion
