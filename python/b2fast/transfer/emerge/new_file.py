"""What a file that is made of several sources shall be, apart from its content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...large_file.services import AUTO_CONTENT_TYPE
from ..outbound.file_upload import FileUpload

if TYPE_CHECKING:
    from ...encryption.setting import EncryptionSetting
    from ...file_lock import FileRetentionSetting, LegalHold


@dataclass(frozen=True, slots=True)
class NewFile:
    """The name, the place and the metadata of a file that is made.

    :ivar content_type: None lets B2 choose by the extension of the name; a copy made by one
        call takes it from its source then, with the file info
    :ivar file_info: may be None if there is none
    :ivar custom_upload_timestamp: milliseconds since 1970
    """

    bucket_id: str
    file_name: str
    content_type: str | None
    file_info: dict[str, str] | None
    encryption: EncryptionSetting | None = None
    file_retention: FileRetentionSetting | None = None
    legal_hold: LegalHold | None = None
    custom_upload_timestamp: int | None = None

    def as_upload(self) -> FileUpload:
        """What it is as an upload."""
        return FileUpload(
            self.bucket_id,
            self.file_name,
            self.content_type or AUTO_CONTENT_TYPE,
            self.file_info or {},
            self.encryption,
            self.file_retention,
            self.legal_hold,
            self.custom_upload_timestamp,
        )
