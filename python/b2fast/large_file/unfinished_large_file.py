"""A large file that was started and neither finished nor cancelled."""

from __future__ import annotations

from typing import Any

from ..encryption.setting import EncryptionSettingFactory
from ..file_info import StandardHeadersOfFileInfo
from ..file_lock import FileRetentionSetting, LegalHold


class UnfinishedLargeFile(StandardHeadersOfFileInfo):
    """An unfinished large file, as B2 tells it.

    Its parts are kept, and billed, until it is finished or cancelled.
    """

    def __init__(self, file_dict: dict[str, Any]) -> None:
        self.file_id: str = file_dict['fileId']
        self.file_name: str = file_dict['fileName']
        self.account_id: str = file_dict['accountId']
        self.bucket_id: str = file_dict['bucketId']
        self.content_type: str = file_dict['contentType']
        self.file_info: dict[str, str] = file_dict['fileInfo']
        self.encryption = EncryptionSettingFactory.from_file_version_dict(file_dict)
        self.file_retention = FileRetentionSetting.from_file_version_dict(file_dict)
        self.legal_hold = LegalHold.from_file_version_dict(file_dict)
        self.start_timestamp: int | None = file_dict.get('uploadTimestamp')
        """When it was started, or its custom timestamp; in milliseconds since 1970."""

    def __repr__(self) -> str:
        return f'<{type(self).__name__} {self.bucket_id} {self.file_name}>'

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnfinishedLargeFile) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]
